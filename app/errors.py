"""The closed list of failures. Services raise them; app/api/errors.py alone knows their HTTP status.

Every class has a stable `code`; docs/errors.md says of each when it comes and what to do about it.
"""

from collections.abc import Mapping, Sequence

type_of_details = Mapping[str, Sequence[str]]

MAX_PLACE = 200  # characters: a hostile name must not make a long reply
MAX_DETAILS = 20  # more than anybody reads; keeps the reply to a 64 KiB body of mistakes under 16 KiB


class Failure(Exception):
    """Something a caller can be told.

    message: one sentence for people. details: field path to what is wrong with it, at most MAX_DETAILS are kept.
    hint: what to do next, where it depends on the request; it tells what the caller sent or what is public, no more.
    """

    code = "internal_error"
    message = "Something went wrong on our side."

    def __init__(self, message: str | None = None, details: type_of_details | None = None, hint: str = ""):
        super().__init__(message or self.message)
        self.hint = hint
        self.details = dict(list((details or {}).items())[:MAX_DETAILS])


def pointer(*names: object) -> str:
    """Return the JSON pointer of a place in a body (RFC 6901), cut to what an error shows."""
    return "".join(f"/{str(name).replace('~', '~0').replace('/', '~1')}" for name in names)[:MAX_PLACE]


class InvalidInput(Failure):
    """A parameter or a field of the body breaks a rule; details name the field."""

    code = "invalid_input"

    def __init__(self, details: type_of_details):
        field, messages = next(iter(details.items()))
        super().__init__(f"{field}: {messages[0]}", details)


class InvalidBody(Failure):
    """The body is not one strict JSON object."""

    code = "invalid_body"
    message = "The body must be a JSON object."


class BodyTooLarge(Failure):
    """The body is longer than the route takes."""

    code = "body_too_large"


class WrongCredentials(Failure):
    """No credentials, or not the right ones.

    The text is the vendor's (engage.md section 1).
    """

    code = "wrong_credentials"
    message = "Wrong authentication credentials."


class SecretNeeded(Failure):
    """The public key alone was given where the secret is needed."""

    code = "secret_needed"
    message = "This needs the secret key; the public key alone is not enough."


class TokenInvalid(Failure):
    """No bearer token, or one that is unknown, expired or of a client that was revoked."""

    code = "invalid_token"
    message = "The access token is missing, unknown or expired."


class RoleNeeded(Failure):
    """The client has another role than the route needs."""

    code = "role_needed"
    message = "The role of this client does not allow this."


class InvalidClient(Failure):
    """There is no such client, or its secret is another one.

    Source of this and the next two: RFC 6749 section 5.2.
    """

    code = "invalid_client"
    message = "The client is unknown, or its secret is wrong."


class UnsupportedGrant(Failure):
    """The token route knows the grant client_credentials alone."""

    code = "unsupported_grant_type"
    message = "The grant_type must be client_credentials."


class InvalidTokenRequest(Failure):
    """The request for a token lacks the grant_type, or says something twice."""

    code = "invalid_request"
    message = "The grant_type is missing."


class SignatureNeeded(Failure):
    """The public key alone, in a workspace that demands signatures, without those of the users it writes to."""

    code = "signature_needed"
    message = "This needs the secret key, or the signature of the user in X-User-Signature."


class EmailChange(Failure):
    """The public key alone may set an email, never change or clear one.

    Source: engage.md section 4.2.
    """

    code = "email_change"
    message = "Changing an email needs the secret key."


class NotFound(Failure):
    """There is no such thing in this workspace."""

    code = "not_found"
    message = "There is nothing here."


class UserNotFound(NotFound):
    """No user of this workspace has that uid."""

    code = "user_not_found"
    message = "There is no user with this uid."


class AccountNotFound(NotFound):
    """No user of this workspace has the uid of the account, or the user is not in it."""

    code = "account_not_found"
    message = "There is no account with this uid."


class ListNotFound(NotFound):
    """No list of this workspace has that id."""

    code = "list_not_found"
    message = "There is no list with this id."


class SegmentNotFound(NotFound):
    """No segment of this workspace has that id."""

    code = "segment_not_found"
    message = "There is no segment with this id."


class LinkInvalid(NotFound):
    """The link was not made by us, has expired, or what it is about is gone."""

    code = "link_invalid"
    message = "This link is not valid any more."


class MethodNotAllowed(Failure):
    """The route exists, and does not take this method."""

    code = "method_not_allowed"
    message = "This route does not take that method."


class PreconditionFailed(Failure):
    """The user is not as If-Match or If-None-Match demands."""

    code = "precondition_failed"
    message = "The user is not as the request expects; nothing was changed."


class UidTaken(Failure):
    """Another user of the workspace already has the uid asked for."""

    code = "uid_taken"
    message = "Another user already has this uid."


class Conflict(Failure):
    """The thing to be made is there already, or the state does not allow it."""

    code = "conflict"


class KeyReused(Failure):
    """The Idempotency-Key belongs to another request."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for another request."


class StillRunning(Failure):
    """The first request with this Idempotency-Key has not ended yet."""

    code = "idempotency_key_in_use"
    message = "A request with this Idempotency-Key is still running; please try again."


class TooManyRequests(Failure):
    """The key, the address or those who fail to log in from it have called too often; nothing was done."""

    code = "rate_limited"
    message = "Too many requests; please wait a while."


class ReplyErased(Failure):
    """The request with this Idempotency-Key was done; the user it was about was erased since, and the reply too."""

    code = "idempotency_reply_erased"
    message = "The request with this Idempotency-Key was done, and a user it was about has been deleted since."


class StorageUnavailable(Failure):
    """The database cannot be reached, written or locked just now; the request can be sent again."""

    code = "storage_unavailable"
    message = "The database is not available just now; please try again."


class SdkTokenInvalid(Failure):
    """The token of an SDK is not signed with the SDK key it names, is over, or does not fit the key.

    Source: atomic.md section 4.
    """

    code = "invalid_sdk_token"
    message = "The token of the SDK is missing."


class KeysUnavailable(Failure):
    """The keys that could prove the token are being fetched from its issuer, or cannot be had from there."""

    code = "keys_unavailable"
    message = "The keys of the token's issuer are not available just now; please try again."


class InternalError(Failure):
    """A fault of ours. The log has the stack trace under the request id."""


class Misconfigured(Exception):
    """A setting is wrong: the start stops with this one line, which names the variable. It never reaches a client."""


class NotDone(Exception):
    """Nothing of a write was done, and that is proven: it may be done again. It never reaches a client.

    The cause says why. Any other exception of a write means that nobody knows whether it was done.
    """


class Contended(NotDone):
    """Others were in the way: a deadlock, an erasure. It may be done again, with locks and looking first."""


class Locked(NotDone):
    """Another writer has the lock of the SQLite file, and the event loop does not wait for it: a thread may."""
