"""Normal forms of e-mail addresses and phone numbers (engage.md section 3)."""


def key_of_email(email: str) -> str:
    """Return what two spellings of one address share. Addresses are ASCII (app/schemas/fields.py)."""
    return email.lower()


def key_of_number(number: str) -> str:
    """Return the digits of a phone number."""
    if number[1:].isdigit() and number[0] == "+":  # the common form, in a fifth of the time
        return number[1:]
    return "".join(filter(str.isdigit, number))
