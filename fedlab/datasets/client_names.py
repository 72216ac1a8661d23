"""Clients by what people call them: a search in their ids, and suggestions for an id that is mistyped."""

import difflib


def find_clients(client_ids, search):
    """The clients whose ids hold every word of the search, in the order of the ids.

    ["MACBETH_MACBETH", "MACBETH_THIRD_WITCH"], "third macb" -> ["MACBETH_THIRD_WITCH"]; an empty search
    finds all.

    Args:
      client_ids: strings such as "MACBETH_THIRD_WITCH".
      search: text; upper and lower case, spaces and underscores make no difference.
    """
    words = search.upper().replace("_", " ").split()
    return [client_id for client_id in client_ids if all(word in client_id.upper() for word in words)]


def check_client_id(client_id, client_ids):
    """Raises an error with suggestions unless `client_id` is one of the `client_ids`."""
    if not isinstance(client_id, str):
        raise TypeError(f"client_id={client_id!r}: give one client's id as str{_example(client_ids)}.")
    if client_id not in client_ids:
        raise ValueError(f"client {client_id!r} is not in the dataset; {suggest(client_id, client_ids)}")


def suggest(name, client_ids):
    """Which clients somebody may have meant, as the end of a sentence: "did you mean 'A_B'?"."""
    near = near_clients(name, client_ids)
    if near:
        return "did you mean " + " or ".join(map(repr, near)) + "?"
    return f"it has {len(client_ids)} clients; see client_ids{_example(client_ids)}."


def near_clients(name, client_ids):
    """Up to three clients whose ids, or whose roles, are like a name that is mistyped."""
    wanted = name.upper().strip().replace(" ", "_")
    inside = [known for known in client_ids if wanted and wanted in known]
    near = inside[:3] or difflib.get_close_matches(wanted, client_ids, n=3, cutoff=0.5)
    roles = {known.split("_")[-1]: known for known in client_ids}
    return near or [roles[role] for role in difflib.get_close_matches(wanted, roles, n=3, cutoff=0.7)]


def _example(client_ids):
    return f", for example {client_ids[0]!r}" if client_ids else ""
