"""The conversations of one Python client with a gateway: `conversations.py MODULE`.

Reads GROUNDWIRE_URL, GROUNDWIRE_API_KEY and MODEL from the environment. Prints one JSON line per conversation. A conversation
passes if its answer is complete, or if the model lacks the feature and the gateway refuses it with a 400.
"""

import importlib
import json
import os
import sys
import time

PROMPT = "Name three colours."
SCHEMA_PROMPT = "Where is the Colosseum? Answer as JSON."
TOOL_PROMPT = "What is the weather in Rome?"
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def weather_in(city: str) -> str:
    return f"21 °C in {city}"


def check_text(text: str) -> None:
    assert isinstance(text, str) and text != "", f"expected text, got {text!r}"


def check_same(texts: list[str]) -> None:
    check_text(texts[0])
    assert texts[0] == texts[1], f"the stream differs from the whole answer: {texts!r}"


def check_city(city: dict) -> None:
    assert sorted(city) == ["city", "country"], f"expected a city and its country, got {city!r}"
    assert all(isinstance(value, str) for value in city.values()), f"expected texts, got {city!r}"


def check_tools(outcome: tuple[list[str], str]) -> None:
    cities, text = outcome
    assert cities, "no function was called"
    check_text(text)


def conversations(client) -> dict:
    return {
        "plain": lambda: check_text(client.plain(PROMPT)),
        "stream": lambda: check_same([client.plain(PROMPT), client.stream(PROMPT)]),
        "schema": lambda: check_city(client.schema(SCHEMA_PROMPT)),
        "tools": lambda: check_tools(client.tools(TOOL_PROMPT, weather_in)),
        "image": lambda: check_text(client.image("What is this?", PIXEL)),
        "abort": lambda: check_text(client.abort("Write endlessly")),
    }


#: Conversations about features that not every model has.
MAY_BE_REFUSED = {"schema", "tools", "image"}


def outcome_of(name: str, converse) -> str:
    try:
        converse()
        return "ok"
    except Exception as error:
        status = getattr(error, "status_code", None)
        if name in MAY_BE_REFUSED and status == 400:
            return "refused"
        return f"failed: {type(error).__name__}: {error}"


def main(name: str) -> None:
    client = importlib.import_module(name).connect(
        f"{os.environ['GROUNDWIRE_URL']}/v1", os.environ["GROUNDWIRE_API_KEY"], os.environ["MODEL"]
    )
    for conversation, converse in conversations(client).items():
        started = time.monotonic()
        outcome = outcome_of(conversation, converse)
        seconds = round(time.monotonic() - started, 2)
        print(json.dumps({"conversation": conversation, "outcome": outcome, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
