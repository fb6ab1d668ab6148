"""The five routes on FastAPI, pydantic and SQLAlchemy's async ORM."""

import os
import time
from datetime import UTC, datetime
from typing import Any

from fastapi import Depends, FastAPI, Header, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field, field_serializer
from sqlalchemy import BigInteger, ForeignKey, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

AUTHORIZATION = os.environ["AUTHORIZATION"]
engine = create_async_engine(
    os.environ["DATABASE"].replace("postgresql://", "postgresql+asyncpg://"), pool_size=8, max_overflow=0
)
session_maker = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSONB, int: BigInteger}


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    number: Mapped[str | None]
    email: Mapped[str | None]
    is_account: Mapped[bool] = mapped_column(default=False)
    archived: Mapped[bool] = mapped_column(default=False)
    meta: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[int]
    last_interaction: Mapped[int | None]
    devices: Mapped[list["Device"]] = relationship(lazy="selectin")
    accounts: Mapped[list["Membership"]] = relationship(lazy="selectin")
    lists: Mapped[list["Subscription"]] = relationship(lazy="selectin")


class Device(Base):
    __tablename__ = "devices"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    token: Mapped[str]
    platform: Mapped[str | None]


class Membership(Base):
    __tablename__ = "memberships"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    account_id: Mapped[str]
    role: Mapped[str | None]


class Subscription(Base):
    __tablename__ = "subscriptions"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    list_id: Mapped[str]
    subscribed: Mapped[bool]


class Event(Base):
    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    timestamp: Mapped[int]
    event: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB)
    properties: Mapped[dict[str, Any]]


Scalar = str | int | float | bool


class Change(BaseModel):
    first_name: str | None = Field(None, max_length=255)
    last_name: str | None = Field(None, max_length=255)
    number: str | None = Field(None, max_length=30)
    email: str | None = Field(None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    meta: dict[str, Scalar] = {}


class New(Change):
    id: str = Field(pattern="^[A-Za-z0-9]{1,255}$")


class NewEvent(BaseModel):
    event: str = Field(min_length=1, max_length=255)
    value: Scalar | None = None
    properties: dict[str, Scalar] = {}


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ShownDevice(Shown):
    token: str
    platform: str | None


class ShownAccount(Shown):
    id: str = Field(validation_alias="account_id")
    role: str | None


class ShownList(Shown):
    id: str = Field(validation_alias="list_id")
    subscribed: bool


class ShownUser(Shown):
    id: int
    uid: str
    first_name: str | None
    last_name: str | None
    number: str | None
    email: str | None
    devices: list[ShownDevice]
    accounts: list[ShownAccount]
    is_account: bool
    archived: bool
    lists: list[ShownList]
    meta: dict[str, Any]
    created_at: int
    last_interaction: int | None

    @field_serializer("created_at", "last_interaction")
    def show_time(self, value: int | None) -> str | None:
        return value and datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")


class Page(BaseModel):
    data: list[ShownUser]
    next_cursor: int | None = None


class Status(BaseModel):
    status: str = "ok"


async def authorized(authorization: str = Header("")) -> None:
    if authorization != AUTHORIZATION:
        raise HTTPException(401)


async def session():
    async with session_maker() as opened:
        yield opened


app = FastAPI(dependencies=[Depends(authorized)])


@app.get("/v1/users/{uid}")
async def retrieve(uid: str, db: AsyncSession = Depends(session)) -> ShownUser:
    user = (await db.execute(select(User).where(User.uid == uid))).scalar_one_or_none()
    if user is None:
        raise HTTPException(404)
    return user


@app.get("/v1/users")
async def page(limit: int = Query(10, ge=1, le=30), next_cursor: int = 0, db: AsyncSession = Depends(session)) -> Page:
    wanted = select(User).where(User.id > next_cursor).order_by(User.id).limit(limit + 1)
    rows = (await db.execute(wanted)).scalars().all()
    return Page.model_validate(
        {"data": rows[:limit], "next_cursor": rows[limit - 1].id if len(rows) > limit else None}, from_attributes=True
    )


async def save(db: AsyncSession, uid: str, body: Change) -> User:
    values = body.model_dump(exclude_unset=True, exclude={"id"})
    statement = insert(User).values(uid=uid, created_at=int(time.time() * 1000), **{"meta": {}, **values})
    changes = {name: getattr(statement.excluded, name) for name in values}
    if "meta" in changes:
        changes["meta"] = User.meta.op("||")(statement.excluded.meta)
    upsert = statement.on_conflict_do_update(index_elements=["uid"], set_=changes or {"uid": uid}).returning(User)
    user = (await db.execute(upsert, execution_options={"populate_existing": True})).scalar_one()
    await db.refresh(user, ["devices", "accounts", "lists"])
    await db.commit()
    return user


@app.post("/v1/users")
async def create(body: New, db: AsyncSession = Depends(session)) -> ShownUser:
    return await save(db, body.id, body)


@app.put("/v1/users/{uid}")
async def update(uid: str, body: Change, db: AsyncSession = Depends(session)) -> ShownUser:
    return await save(db, uid, body)


@app.post("/v1/users/{uid}/events")
async def record(uid: str, body: NewEvent, db: AsyncSession = Depends(session)) -> Status:
    now = int(time.time() * 1000)
    statement = insert(User).values(uid=uid, created_at=now, last_interaction=now, meta={})
    touch = statement.on_conflict_do_update(
        index_elements=["uid"], set_={"last_interaction": statement.excluded.last_interaction}
    ).returning(User.id)
    user = (await db.execute(touch)).scalar_one()
    db.add(Event(user_id=user, timestamp=now, event=body.event, value=body.value, properties=body.properties))
    await db.commit()
    return Status()
