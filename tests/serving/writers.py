"""Many processes that call the service at the same time."""

import multiprocessing

WRITERS = 8


def run(work, service, *arguments, writers=WRITERS):
    """Run the work in so many processes, each with its number, and return what they answer."""
    with multiprocessing.get_context("fork").Pool(writers) as pool:
        return pool.starmap(work, [(service, number, *arguments) for number in range(writers)], chunksize=1)


def events_of(service, uid):
    """Return the ids of all events of the user, page by page; none when there is no such user."""
    seen, cursor = [], ""
    with service.connection() as connection:
        while cursor is not None:
            status, page = service.send(connection, "GET", f"users/{uid}/events?limit=100{cursor}")
            if status == 404:
                break
            seen += [event["id"] for event in page["data"]]
            cursor = f"&next_cursor={page['next_cursor']}" if "next_cursor" in page else None
    return seen
