"""Mutants of the fast loader and of what it stands on: each check dropped, widened or narrowed by one.

Equivalent, so not here: `_is_there` (dates.parse refuses null too), the re.ASCII of patterns that list their characters,
a narrower `_DIGITS` (the slower pattern follows), longer top-level domains (the schema takes them), and a name that
`_COLUMNS` lacks (the check of one value follows).
"""

from tests.mutants.mutant import Mutant

QUICK, BATCHES, UIDS = "app/schemas/loading.py", "app/schemas/batches.py", "app/domain/uids.py"
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
PLAIN_UIDS = _TESTS + "several_uids_are_plain_when_each_is"

# fmt: off
_ONE_USER = [
    ("a name of 256 characters", "(value.__class__ is str and len(value) <= MAX_NAME)", "value.__class__ is str"),
    ("a name that is no text", "value is None or (value.__class__ is str and len(value) <= MAX_NAME)", "value is None or value.__class__ in _SCALARS"),
    ("an email of 255 characters", "value.__class__ is str and len(value) <= MAX_EMAIL", "value.__class__ is str"),
    ("an email with more behind it", "bool(_EMAIL.fullmatch(value))", "bool(_EMAIL.match(value))"),
    ("any text as an email", "len(value) <= MAX_EMAIL and bool(_EMAIL.fullmatch(value))", "len(value) <= MAX_EMAIL"),
    ("any text as a number", "(value.__class__ is str and is_number(value))", "value.__class__ is str"),
    ("is_account: 1", "value.__class__ is bool", "value in (True, False)"),
    ("meta that is null", "value.__class__ is dict\n        and len(value) <= MAX_META_KEYS", "value is None or value.__class__ is dict\n        and len(value) <= MAX_META_KEYS"),
    ("301 keys in meta", "and len(value) <= MAX_META_KEYS", ""),
    ("an empty key in meta", "all(1 <= len(key) <= MAX_META_KEY for key in value)", "all(len(key) <= MAX_META_KEY for key in value)"),
    ("a key of 129 characters in meta", "all(1 <= len(key) <= MAX_META_KEY for key in value)", "all(1 <= len(key) for key in value)"),
    ("any value in meta", "one.__class__ in _SCALARS and (one", "(one"),
    ("null in meta", "one.__class__ in _SCALARS and (one", "(one is None or one.__class__ in _SCALARS) and (one"),
    ("meta counted in characters", "len(one) * _BYTES", "len(one)"),
    ("three bytes a character", "_BYTES = 4", "_BYTES = 3"),
    ("65 characters before the @", "{1,64}@)", "{1,65}@)"),
    ("two dots in an email", r"(?:\.[A-Za-z0-9_+-]+)*@", r"(?:\.[A-Za-z0-9_+-]*)*@"),
    ("a dash at the end of a label", "(?:[A-Za-z0-9]{1,60}", "(?:[A-Za-z0-9-]{1,60}"),
    ("a label of 64 characters", "{1,60}", "{1,64}"),
    ("a top-level domain of one letter", "[A-Za-z]{2,6}", "[A-Za-z]{1,6}"),
    ("letters beyond ASCII in an email", "[A-Za-z0-9_+-]+(?:", "[A-Za-z0-9é_+-]+(?:"),
    ("rare fields ignored in one user", "if name in others:", "if False:"),
    ("a date that is none kept as sent", "        except ValueError:\n            return None\n    is_ahead", "        except ValueError:\n            pass\n    is_ahead"),
    ("every field counted as rare", "frozenset(CreateUserSchema().fields) - _OF_USER.keys()", "frozenset()"),
]
_MANY_USERS = [
    ("column: a name of 256 characters", "max(map(len, filter(None, column)), default=0) <= MAX_NAME", "True"),
    ("column: names that are no texts", "_TEXT_OR_NONE.issuperset(map(type, column)) and max(map(len, filter(None, column)), default=0)", "max((len(one) for one in column if one.__class__ is str), default=0)"),
    ("column: numbers that are no texts", "return _TEXT.issuperset(map(type, texts)) and (all", "texts = list(map(str, texts))\n    return (all"),
    ("column: any text as a number", " or all(map(is_number, texts)))", " or True)"),
    ("column: one number is enough", "all(map(is_number, texts))", "any(map(is_number, texts))"),
    ("column: a number of 4 digits", "{5,20}", "{4,20}"),
    ("column: a number of 21 digits", "{5,20}", "{5,21}"),
    ("column: a number with a line feed", "_DIGITS.fullmatch", "_DIGITS.match"),
    ("column: an email of 255 characters", "        and max(map(len, texts), default=0) <= MAX_EMAIL\n", ""),
    ("column: an email with more behind it", "all(map(_EMAIL.fullmatch, texts))", "all(map(_EMAIL.match, texts))"),
    ("column: one email is enough", "all(map(_EMAIL.fullmatch, texts))", "any(map(_EMAIL.fullmatch, texts))"),
    ("column: emails that are no texts", "_TEXT.issuperset(map(type, texts))\n        and max(map(len, texts), default=0) <= MAX_EMAIL", "max(map(len, map(str, texts)), default=0) <= MAX_EMAIL\n        and (texts := [one for one in texts if one.__class__ is str]) is not None"),
    ("column: 301 keys in meta", " or max(map(len, column)) > MAX_META_KEYS", ""),
    ("column: meta that is an empty list", "if not _DICT.issuperset(map(type, column)) or max(map(len, column)) > MAX_META_KEYS:\n        return False", "column = [one for one in column if one.__class__ is dict] or [{}]\n    if max(map(len, column)) > MAX_META_KEYS:\n        return False"),
    ("column: an empty key in meta", "all(1 <= len(key) <= MAX_META_KEY for key in set().union(*column))", "all(len(key) <= MAX_META_KEY for key in set().union(*column))"),
    ("column: a key of 129 characters in meta", "all(1 <= len(key) <= MAX_META_KEY for key in set().union(*column))", "all(1 <= len(key) for key in set().union(*column))"),
    ("column: keys of the first meta alone", "for key in set().union(*column))", "for key in set(column[0]))"),
    ("column: any value in meta", "        and _SCALARS.issuperset(map(type, values))\n", ""),
    ("column: null in meta", "_SCALARS.issuperset(map(type, values))", "_SCALARS_OR_NONE.issuperset(map(type, values))"),
    ("column: meta counted in characters", "default=0) * _BYTES", "default=0)"),
    ("column: is_account unchecked", "return all(map(check, column))", "return True"),
    ("column: one is_account is enough", "return all(map(check, column))", "return any(map(check, column))"),
    ("rare fields ignored in many users", "if not others.isdisjoint(names):", "if False:"),
    ("only the first of many checked", "[body[name] for body in bodies if name in body]", "[body[name] for body in bodies[:1] if name in body]"),
    ("no column checked", "if not _is_right(name, column, checks):", "if False:"),
    ("a wrong date among many left out", "return None if None in dated else dated", "return [one for one in dated if one]"),
    ("rare fields alike", "not _NOT_ALIKE.isdisjoint(names)", "not _DATES.isdisjoint(names)"),
    ("one right column is enough", "known if all(_is_right", "known if any(_is_right"),
]
_USERS_TAKEN = [
    ("a name of 255 characters left", "len(value) <= MAX_NAME", "len(value) < MAX_NAME"),
    ("an email of 254 characters left", "len(value) <= MAX_EMAIL", "len(value) < MAX_EMAIL"),
    ("300 keys in meta left", "len(value) <= MAX_META_KEYS", "len(value) < MAX_META_KEYS"),
    ("a key of 128 characters in meta left", "MAX_META_KEY for key in value)", "MAX_META_KEY - 1 for key in value)"),
    ("a key of one character in meta left", "all(1 <= len(key) <= MAX_META_KEY for key in value)", "all(1 < len(key) <= MAX_META_KEY for key in value)"),
    ("a value of 4096 bytes in meta left", "len(one) * _BYTES <= MAX_META_VALUE", "len(one) * _BYTES < MAX_META_VALUE"),
    ("a name that is null left", "value is None or (value.__class__ is str and len(value) <= MAX_NAME)", "value.__class__ is str and len(value) <= MAX_NAME"),
    ("an email that is null left", "value is None or (value.__class__ is str and len(value) <= MAX_EMAIL", "(value.__class__ is str and len(value) <= MAX_EMAIL"),
    ("a number that is null left", "value is None or (value.__class__ is str and is_number(value))", "value.__class__ is str and is_number(value)"),
    ("64 characters before the @ left", "{1,64}@)", "{1,63}@)"),
    ("a label of 60 characters left", "{1,60}", "{1,59}"),
    ("a top-level domain of 6 letters left", "[A-Za-z]{2,6}", "[A-Za-z]{2,5}"),
    ("a plus before the @ left", "@)[A-Za-z0-9_+-]+", "@)[A-Za-z0-9_-]+"),
    ("column: a name of 255 characters left", "default=0) <= MAX_NAME", "default=0) < MAX_NAME"),
    ("column: names that are null left", "_TEXT_OR_NONE.issuperset(map(type, column))", "_TEXT.issuperset(map(type, column))"),
    ("column: numbers with spaces left", " or all(map(is_number, texts))", ""),
    ("column: an email of 254 characters left", "default=0) <= MAX_EMAIL", "default=0) < MAX_EMAIL"),
    ("column: 300 keys in meta left", "max(map(len, column)) > MAX_META_KEYS", "max(map(len, column)) >= MAX_META_KEYS"),
    ("column: a key of 128 characters in meta left", "MAX_META_KEY for key in set()", "MAX_META_KEY - 1 for key in set()"),
    ("column: a value of 4096 bytes in meta left", "* _BYTES <= MAX_META_VALUE\n    )\n\n\n_DICT", "* _BYTES < MAX_META_VALUE\n    )\n\n\n_DICT"),
    ("unknown fields of many users kept", "if not names <= checks.keys():", "if False:"),
    ("unknown fields alike kept", "for name, column in columns.items() if name in _OF_USER}", "for name, column in columns.items()}"),
    ("dates of many users kept as sent", "if _DATES.isdisjoint(names):", "if True:"),
    ("dates kept as sent", "loaded[name] = dates.parse(loaded[name])", "dates.parse(loaded[name])"),
    ("the uid of a new user unread", 'if name != "id"})\n', "})\n"),
]
_EVENTS_REFUSED = [
    ("an empty event name", "1 <= len(value) <= MAX_EVENT", "len(value) <= MAX_EVENT"),
    ("an event name of 256 characters", "1 <= len(value) <= MAX_EVENT", "1 <= len(value)"),
    ("an event name that is a list", "value.__class__ is str and 1 <= len(value)", "value.__class__ in (str, list) and 1 <= len(value)"),
    ("any value", "return value is None or value.__class__ in _SCALARS", "return True"),
    ("null in properties", "all(one.__class__ in _SCALARS for", "all(one is None or one.__class__ in _SCALARS for"),
    ("101 properties", "        and len(value) <= MAX_PROPERTIES\n", ""),
    ("an empty name in properties", "all(1 <= len(name) <= MAX_META_KEY for name in value)", "all(len(name) <= MAX_META_KEY for name in value)"),
    ("a name of 129 characters in properties", "all(1 <= len(name) <= MAX_META_KEY for name in value)", "all(1 <= len(name) for name in value)"),
    ("properties that are any list", "value.__class__ is dict\n        and len(value) <= MAX_PROPERTIES", "value.__class__ is list or value.__class__ is dict\n        and len(value) <= MAX_PROPERTIES"),
    ("an event without a name", '_OTHERS_OF_EVENT) if "event" in body else None', "_OTHERS_OF_EVENT)"),
    ("one event with a name is enough", 'all("event" in body for body in bodies)', 'any("event" in body for body in bodies)'),
    ("a timestamp ahead", "return None if is_ahead else loaded", "return loaded"),
    ("a timestamp 24 hours and more ahead", "clock.now() + MAX_AHEAD", "clock.now() + MAX_AHEAD + 1"),
    ("the id of an event ignored", "frozenset(EventSchema().fields) - _OF_EVENT.keys()", "frozenset()"),
    ("column: an empty event name", " and all(column)", ""),
    ("column: one event name is enough", "all(column)", "any(column)"),
    ("column: an event name of 256 characters", "max(map(len, column)) <= MAX_EVENT", "True"),
    ("column: event names that are lists", "_TEXT.issuperset(map(type, column)) and all(column)", "all(column)"),
    ("column: any value", "return _SCALARS_OR_NONE.issuperset(map(type, column))", "return True"),
    ("column: null in properties", "_SCALARS.issuperset(map(type, chain", "_SCALARS_OR_NONE.issuperset(map(type, chain"),
    ("column: any value in properties", "_SCALARS.issuperset(map(type, chain.from_iterable(map(dict.values, column))))", "True"),
    ("column: 101 properties", "max(map(len, column)) <= MAX_PROPERTIES", "True"),
    ("column: an empty name in properties", "all(1 <= len(name) <= MAX_META_KEY for name in set().union(*column))", "all(len(name) <= MAX_META_KEY for name in set().union(*column))"),
    ("column: a name of 129 characters in properties", "all(1 <= len(name) <= MAX_META_KEY for name in set().union(*column))", "all(1 <= len(name) for name in set().union(*column))"),
    ("column: properties that are an empty list", "_DICT.issuperset(map(type, column))\n        and max", "(column := [one for one in column if one.__class__ is dict] or [{}])\n        and max"),
]
_EVENTS_TAKEN = [
    ("an event name of one character left", "1 <= len(value) <= MAX_EVENT", "1 < len(value) <= MAX_EVENT"),
    ("an event name of 255 characters left", "1 <= len(value) <= MAX_EVENT", "1 <= len(value) < MAX_EVENT"),
    ("100 properties left", "len(value) <= MAX_PROPERTIES", "len(value) < MAX_PROPERTIES"),
    ("a name of 128 characters in properties left", "MAX_META_KEY for name in value)", "MAX_META_KEY - 1 for name in value)"),
    ("a value that is null left", "return value is None or value.__class__ in _SCALARS", "return value.__class__ in _SCALARS"),
    ("a timestamp of just 24 hours ahead left", 'loaded["timestamp"] > clock', 'loaded["timestamp"] >= clock'),
    ("column: an event name of 255 characters left", "max(map(len, column)) <= MAX_EVENT", "max(map(len, column)) < MAX_EVENT"),
    ("column: 100 properties left", "max(map(len, column)) <= MAX_PROPERTIES", "max(map(len, column)) < MAX_PROPERTIES"),
    ("column: a name of 128 characters in properties left", "MAX_META_KEY for name in set()", "MAX_META_KEY - 1 for name in set()"),
    ("column: a value that is null left", "_SCALARS_OR_NONE.issuperset(map(type, column))", "_SCALARS.issuperset(map(type, column))"),
    ("numbers left out of scalars", "(str, int, float, bool)", "(str, int, bool)"),
    ("the bodies of many changed", "_with_dates(dict(body))", "_with_dates(body)"),
]
_OTHERS = [
    ("any uid of a new user", QUICK, ' or not uids.is_plain(id)', "", NEW_USER),
    ("a uid of a new user that is no text", QUICK, "id.__class__ is not str or not uids.is_plain(id)", "not uids.is_plain(id := str(id))", NEW_USER),
    ("a new user without its uid", QUICK, '{**fields, "id": id}', "fields", NEW_USER),
    ("no users taken for some", QUICK, "if name not in beside] if bodies else []", "if name not in beside]", NONE_SENT),
    ("users with more fields alike", QUICK, "{*map(len, bodies)} != {len(names) + len(beside)} or ", "", NOT_ALIKE),
    ("users with other fields alike", QUICK, "list(map(itemgetter(name), bodies))", "[body.get(name) for body in bodies]", NOT_ALIKE),
    ("dates alike", QUICK, "_OTHERS_OF_USER | _DATES", "_OTHERS_OF_USER", USER_REFUSED),
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


def _of_loading(rows: list[tuple[str, str, str]], test: str) -> list[Mutant]:
    return [Mutant(name, QUICK, old, new, (test,)) for name, old, new in rows]


MUTANTS = (
    *_of_loading(_ONE_USER, USER_REFUSED),
    *_of_loading(_MANY_USERS, USER_REFUSED),
    *_of_loading(_USERS_TAKEN, USER_TAKEN),
    *_of_loading(_EVENTS_REFUSED, EVENT_REFUSED),
    *_of_loading(_EVENTS_TAKEN, EVENT_TAKEN),
    *(Mutant(name, file, old, new, (test,)) for name, file, old, new, test in _OTHERS),
)
