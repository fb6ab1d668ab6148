"""Mutants of the fast loader and of what it stands on: each check dropped, widened or narrowed by one.

Equivalent, so not here: the re.ASCII of patterns that list their characters, a narrower `_USUAL_NUMBER` (the slower
pattern follows), longer top-level domains (the schema takes them), and the shortcut for a column of one text.
"""

from tests.mutants.mutant import Mutant

FIELDS, LOADING, EVENTS = "app/schemas/fields.py", "app/schemas/loading.py", "app/schemas/events.py"
USERS, BATCHES, UIDS = "app/schemas/users.py", "app/schemas/batches.py", "app/domain/uids.py"
_TESTS = "tests/schemas/test_loading.py::test_"
USER_REFUSED = _TESTS + "no_lane_takes_a_user_that_the_schema_refuses"
USER_TAKEN = _TESTS + "each_lane_takes_a_user_up_to_every_limit"
EVENT_REFUSED = _TESTS + "no_lane_takes_an_event_that_the_schema_refuses"
EVENT_TAKEN = _TESTS + "each_lane_takes_an_event_up_to_every_limit"
NEW_USER = _TESTS + "a_new_user_is_loaded_with_every_plain_uid"
NONE_SENT = _TESTS + "no_users_and_no_events_are_loaded_as_none"
NOT_ALIKE = _TESTS + "users_with_different_fields_are_not_alike"
BATCH_UIDS = _TESTS + "a_batch_takes_every_plain_uid_and_leaves_the_others"
BATCH_FORM = _TESTS + "a_batch_leaves_items_of_another_form_to_the_schema"
BATCH_KINDS = _TESTS + "a_batch_takes_creates_updates_and_events"
LEFT = _TESTS + "what_no_plain_write_stores_is_left_to_the_schema"
DATES = _TESTS + "each_date_of_a_column_is_loaded_to_its_own"
PLAIN_UIDS = _TESTS + "several_uids_are_plain_when_each_is"

# fmt: off
_USERS_REFUSED = [
    ("texts that are no texts", FIELDS, "if self._lengths is None or not _TEXT.issuperset(map(type, column)):", "column = list(map(str, column))\n        if self._lengths is None:"),
    ("one text of 256 characters", FIELDS, "shortest <= len(column[0]) <= longest", "shortest <= len(column[0])"),
    ("several texts of 256 characters", FIELDS, " or max(map(len, column), default=0) > longest", ""),
    ("an email of 255 characters", FIELDS, "super().__init__(validate=validate.Length(max=MAX_EMAIL), metadata=metadata, **kwargs)", "super().__init__(validate=validate.Length(max=MAX_EMAIL + 1), metadata=metadata, **kwargs)"),
    ("an email with more behind it", FIELDS, "_USUAL_EMAIL.fullmatch", "_USUAL_EMAIL.match"),
    ("one email is enough", FIELDS, "all(map(_USUAL_EMAIL.fullmatch, column))", "any(map(_USUAL_EMAIL.fullmatch, column))"),
    ("any text as an email", FIELDS, "are_texts and all(map(_USUAL_EMAIL.fullmatch, column))", "are_texts"),
    ("65 characters before the @", FIELDS, "{1,64}@)", "{1,65}@)"),
    ("two dots in an email", FIELDS, r"(?:\.[A-Za-z0-9_+-]+)*@", r"(?:\.[A-Za-z0-9_+-]*)*@"),
    ("a dash at the end of a label", FIELDS, "(?:[A-Za-z0-9]{1,60}", "(?:[A-Za-z0-9-]{1,60}"),
    ("a label of 64 characters", FIELDS, "{1,60}", "{1,64}"),
    ("a top-level domain of one letter", FIELDS, "[A-Za-z]{2,6}", "[A-Za-z]{1,6}"),
    ("letters beyond ASCII in an email", FIELDS, "[A-Za-z0-9_+-]+(?:", "[A-Za-z0-9é_+-]+(?:"),
    ("numbers that are no texts", FIELDS, "        if not _TEXT.issuperset(map(type, column)):\n            return None\n        return column if all(map(_USUAL", "        column = list(map(str, column))\n        return column if all(map(_USUAL"),
    ("any text as a number", FIELDS, " or all(map(is_number, column))", " or True"),
    ("one number is enough", FIELDS, "all(map(is_number, column))", "any(map(is_number, column))"),
    ("a number of 4 digits", FIELDS, 'r"\\+?[0-9]{5,20}"', 'r"\\+?[0-9]{4,20}"'),
    ("a number of 21 digits", FIELDS, 'r"\\+?[0-9]{5,20}"', 'r"\\+?[0-9]{5,21}"'),
    ("a number with a line feed", FIELDS, "_USUAL_NUMBER.fullmatch", "_USUAL_NUMBER.match"),
    ("any flag", FIELDS, "column if _FLAG.issuperset(map(type, column)) else None", "column"),
    ("is_account: 1", FIELDS, "_FLAG: frozenset[type] = frozenset((bool,))", "_FLAG: frozenset[type] = frozenset((bool, int))"),
    ("a date that is none kept as sent", FIELDS, "        except ValueError:\n            return None", "        except ValueError:\n            return column"),
    ("301 keys in meta", FIELDS, " or max(map(len, column), default=0) > self.max_keys", ""),
    ("meta that is a list", FIELDS, "if not _DICT.issuperset(map(type, column)) or max", "column = [one for one in column if one.__class__ is dict]\n        if max"),
    ("an empty key in meta", FIELDS, '"" in keys or ', ""),
    ("a key of 129 characters in meta", FIELDS, ' or max(map(len, keys)) > self._max_key', ""),
    ("keys of the first meta alone", FIELDS, "keys = set().union(*column)", "keys = set(column[0])"),
    ("any value in meta", FIELDS, "column if _SCALARS.issuperset(map(type, kept)) and self", "column if self"),
    ("null in meta", FIELDS, "_SCALARS.issuperset(map(type, kept))", "(_SCALARS | {type(None)}).issuperset(map(type, kept))"),
    ("a value of meta of any length", FIELDS, " and self._are_short(kept)", ""),
    ("meta counted in characters", FIELDS, "longest * _MAX_BYTES", "longest"),
    ("three bytes a character", FIELDS, "_MAX_BYTES = 4", "_MAX_BYTES = 3"),
    ("any text as a time zone", FIELDS, " and all(map(_TZ.fullmatch, column))", ""),
    ("a time zone with more behind it", FIELDS, "all(map(_TZ.fullmatch, column))", "all(map(_TZ.match, column))"),
    ("null where a field must not be null", LOADING, "    if not field.allow_none:\n        return None\n", ""),
    ("null taken for all values", LOADING, "return None if loaded is None else column", "return column"),
    ("rare fields ignored in many users", LOADING, "if not self._rare.isdisjoint(names) or not self", "if not self"),
    ("rare fields alike", LOADING, " or not self._rare.isdisjoint(names):", ":"),
    ("only the first of many checked", LOADING, "[body[name] for body in bodies if name in body]", "[body[name] for body in bodies[:1] if name in body]"),
    ("no column checked", LOADING, "                if loaded is None:\n                    return None\n", "                if loaded is None:\n                    continue\n"),
    ("no column of users alike checked", LOADING, "            if column is None:\n                return None\n", "            if column is None:\n                column = columns[name]\n"),
]
_USERS_TAKEN = [
    ("one text of 255 characters left", FIELDS, "shortest <= len(column[0]) <= longest", "shortest <= len(column[0]) < longest"),
    ("several texts of 255 characters left", FIELDS, "max(map(len, column), default=0) > longest", "max(map(len, column), default=0) >= longest"),
    ("300 keys in meta left", FIELDS, "default=0) > self.max_keys", "default=0) >= self.max_keys"),
    ("a key of 128 characters in meta left", FIELDS, "max(map(len, keys)) > self._max_key", "max(map(len, keys)) >= self._max_key"),
    ("a value of 4096 bytes in meta left", FIELDS, "longest * _MAX_BYTES <= self._max_value", "longest * _MAX_BYTES < self._max_value"),
    ("64 characters before the @ left", FIELDS, "{1,64}@)", "{1,63}@)"),
    ("a label of 60 characters left", FIELDS, "{1,60}", "{1,59}"),
    ("a top-level domain of 6 letters left", FIELDS, "[A-Za-z]{2,6}", "[A-Za-z]{2,5}"),
    ("a plus before the @ left", FIELDS, "@)[A-Za-z0-9_+-]+", "@)[A-Za-z0-9_-]+"),
    ("numbers with spaces left", FIELDS, " or all(map(is_number, column))", ""),
    ("null left", LOADING, "    if None not in column:", "    if True:"),
    ("null lost among dates", LOADING, "[None if one is None else next(rest) for one in column]", "list(rest)"),
    ("unknown fields of many users kept", LOADING, "if not names <= self._fields.keys():", "if False:"),
    ("unknown fields alike kept", LOADING, "        loaded = {}\n        for", "        loaded = {name: column for name, column in columns.items() if name not in self._fields}\n        for"),
    ("dates of many users kept as sent", LOADING, "if loaded is not column:", "if False:"),
    ("the uid of a new user unread", LOADING, 'if name != "id"})\n', "})\n"),
]
_EVENTS_REFUSED = [
    ("an event without a name", LOADING, " or not self._are_complete(bodies)", ""),
    ("one event with a name is enough", LOADING, "all(self._required <= body.keys() for body in bodies)", "any(self._required <= body.keys() for body in bodies)"),
    ("one empty event name", FIELDS, "shortest <= len(column[0]) <= longest", "len(column[0]) <= longest"),
    ("an empty event name among others", FIELDS, "return None if is_short or max", "return None if max"),
    ("any value", FIELDS, '"""Return the column if all are scalars."""\n        return column if _SCALARS.issuperset(map(type, column)) else None', '"""Return the column if all are scalars."""\n        return column'),
    ("any value in properties", FIELDS, "return column if _SCALARS.issuperset(map(type, values)) else None", "return column"),
    ("properties without a limit", FIELDS, " or max(map(len, column), default=0) > self.max_keys", ""),
    ("a timestamp ahead", EVENTS, "times is not None and max(times, default=0) <= clock.now() + MAX_AHEAD", "times is not None"),
    ("a timestamp 24 hours and more ahead", EVENTS, "max(times, default=0) <= clock.now() + MAX_AHEAD", "max(times, default=0) <= clock.now() + MAX_AHEAD + 1"),
]
_EVENTS_TAKEN = [
    ("one event name of one character left", FIELDS, "shortest <= len(column[0])", "shortest < len(column[0])"),
    ("event names of one character left", FIELDS, "min(map(len, column)) < shortest", "min(map(len, column)) <= shortest"),
    ("a timestamp of just 24 hours ahead left", EVENTS, "max(times, default=0) <= clock", "max(times, default=0) < clock"),
    ("numbers left out of scalars", FIELDS, "(str, int, float, bool)", "(str, int, bool)"),
]
_OTHERS = [
    ("the date of the first for all", LOADING, "next(changed[name]) if name", "list(changed[name])[0] if name", DATES),
    ("the id of an event as a plain text", EVENTS, "**kwargs)\n\n    load_column = ByValue.load_column", "**kwargs)", LEFT),
    ("one timestamp is enough", EVENTS, "max(times, default=0) <=", "min(times, default=0) <=", DATES),
    ("push tokens as plain texts", USERS, "no plain field of a user.\"\"\"\n\n    load_column = ByValue.load_column", "no plain field of a user.\"\"\"", LEFT),
    ("any uid of a new user", LOADING, ' or not uids.is_plain(id)', "", NEW_USER),
    ("a uid of a new user that is no text", LOADING, "id.__class__ is not str or not uids.is_plain(id)", "not uids.is_plain(id := str(id))", NEW_USER),
    ("a new user without its uid", LOADING, '{**fields, "id": id}', "fields", NEW_USER),
    ("no users taken for some", LOADING, "if name not in beside] if bodies else []", "if name not in beside]", NONE_SENT),
    ("users with more fields alike", LOADING, "{*map(len, bodies)} != {len(names) + len(beside)} or ", "", NOT_ALIKE),
    ("users with other fields alike", LOADING, "list(map(itemgetter(name), bodies))", "[body.get(name) for body in bodies]", NOT_ALIKE),
    ("batch: items that are no objects", BATCHES, "if not _DICT.issuperset(map(type, items)):", "if False:", BATCH_FORM),
    ("batch: no type", BATCHES, 'list(map(itemgetter("type"), items))', '[item.get("type", "update") for item in items]', BATCH_FORM),
    ("batch: any type", BATCHES, "_SCHEMAS.keys() >= set(kinds) and ", "", BATCH_UIDS),
    ("batch: types that are no texts", BATCHES, "_TEXT.issuperset(map(type, kinds)) and ", "", BATCH_UIDS),
    ("batch: any uid", BATCHES, " and uids.are_plain(named)", "", BATCH_UIDS),
    ("batch: events as columns of users", BATCHES, 'loading.users_alike(bodies, beside) if "event" not in kinds else None', "loading.users_alike(bodies, beside)", EVENT_TAKEN),
    ("batch: events as users", BATCHES, 'loading.users(bodies) if "event" not in kinds else _load_mixed(kinds, bodies)', "loading.users(bodies)", BATCH_KINDS),
    ("batch: events and users swapped", BATCHES, "next(loaded[is_event])", "next(loaded[not is_event])", BATCH_KINDS),
    ("batch: the items changed", BATCHES, "        bodies = list(map(dict.copy, bodies))\n", "", BATCH_KINDS),
    ("batch: the type and uid left in", BATCHES, "            del body[name]", "            pass", BATCH_KINDS),
    ("batch: every place is 0", BATCHES, "map(Item, range(len(kinds))", "map(Item, [0] * len(kinds)", BATCH_KINDS),
    ("uids: one that is empty", UIDS, " or not all(uids)", "", PLAIN_UIDS),
    ("uids: any characters", UIDS, "together.isalnum() and ", "", PLAIN_UIDS),
    ("uids: letters beyond ASCII", UIDS, " and together.isascii()", "", PLAIN_UIDS),
    ("uids: one of 256 characters", UIDS, " and max(map(len, uids)) <= MAX_LENGTH", "", PLAIN_UIDS),
    ("uids: one of 255 characters left", UIDS, "max(map(len, uids)) <= MAX_LENGTH", "max(map(len, uids)) < MAX_LENGTH", PLAIN_UIDS),
]
# fmt: on

MUTANTS = (
    *(Mutant(*row, (USER_REFUSED,)) for row in _USERS_REFUSED),
    *(Mutant(*row, (USER_TAKEN,)) for row in _USERS_TAKEN),
    *(Mutant(*row, (EVENT_REFUSED,)) for row in _EVENTS_REFUSED),
    *(Mutant(*row, (EVENT_TAKEN,)) for row in _EVENTS_TAKEN),
    *(Mutant(name, file, old, new, (test,)) for name, file, old, new, test in _OTHERS),
)
