"""The driver's errors, as peewee has them and as they came."""

import peewee

peewee_errors = peewee.__dict__["__exception_wrapper__"]  # the driver's errors as peewee's own


def cause_of(error: BaseException) -> BaseException:
    """Return what the driver said, before peewee made it one of its own."""
    return error.__cause__ or error.__context__ or error
