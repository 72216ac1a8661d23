"""Numbers and errors in words."""


def count(number, noun, plural=None):
    """A number of things: "1 client", "2 clients", "2 batches".

    Args:
      number: how many.
      noun: what one of them is called.
      plural: what several are called, where that is not the noun with an s.
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def error_in_words(error):
    """Messages that are sentences speak for themselves; a bare "'x'" comes with what kind of error it is."""
    words = str(error).strip()
    return words if " " in words else f"{type(error).__name__}: {words}"
