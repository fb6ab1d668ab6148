"""The contenders, in the order of the table."""

from benchmarks.peers.contender import Contender
from benchmarks.peers.django import Django
from benchmarks.peers.fastapi import FastApi
from benchmarks.peers.fastify import Fastify, FastifyFlat, FastifyOne, FastifyPostgres
from benchmarks.peers.kinto import Kinto
from benchmarks.peers.naive import Naive
from benchmarks.peers.parse import Parse
from benchmarks.peers.pocketbase import PocketBase
from benchmarks.peers.rollcall import (
    Rollcall,
    RollcallFlask,
    RollcallGevent,
    RollcallLimited,
    RollcallPostgres,
    RollcallThreads,
)

CONTENDERS: list[type[Contender]] = [
    Rollcall,
    RollcallLimited,
    RollcallFlask,
    RollcallThreads,
    RollcallGevent,
    Naive,
    Fastify,
    FastifyOne,
    FastifyFlat,
    PocketBase,
    RollcallPostgres,
    FastifyPostgres,
    FastApi,
    Django,
    Parse,
    Kinto,
]
