"""Query strings: an unknown parameter is refused."""

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, validates_schema

from app.domain import spelling

META = "meta."  # a parameter that begins so names an attribute of users
_MAX_SHOWN = 64  # characters of an unknown name


class StrictQuerySchema(Schema):
    """A query in which every parameter is known: a misspelt filter must not show more than was asked for."""

    class Meta:
        unknown = INCLUDE

    @validates_schema(pass_original=True)
    def _known_only(self, data: dict[str, Any], original: Mapping[str, Any], **kwargs: Any) -> None:
        known = [field.data_key or name for name, field in self.fields.items()]
        for name in original:
            if name not in known and not (name.startswith(META) and "email" in known):
                told = f"There is no such parameter. {spelling.question(spelling.nearest(name, known))}".rstrip()
                # As a dict: of a name alone marshmallow takes `lists`, an attribute, for its parameter `lists[]`.
                raise ValidationError({name[:_MAX_SHOWN]: [told]})
