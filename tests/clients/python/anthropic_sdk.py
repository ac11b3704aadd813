"""Anthropic's SDK."""

from anthropic import Anthropic, beta_tool
from pydantic import BaseModel


class City(BaseModel):
    city: str
    country: str


def text_of(message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


class Client:
    def __init__(self, base_url: str, key: str, model: str) -> None:
        self.client = Anthropic(base_url=base_url.removesuffix("/v1"), api_key=key, max_retries=0)
        # The SDK's newest versions don't declare `temperature`.
        self.settings = {"model": model, "max_tokens": 48, "extra_body": {"temperature": 0}}

    def ask(self, content) -> dict:
        return {"messages": [{"role": "user", "content": content}], **self.settings}

    def plain(self, prompt: str) -> str:
        return text_of(self.client.messages.create(**self.ask(prompt)))

    def stream(self, prompt: str) -> str:
        with self.client.messages.stream(**self.ask(prompt)) as stream:
            return "".join(stream.text_stream)

    def schema(self, prompt: str) -> dict:
        return self.client.messages.parse(**self.ask(prompt), output_format=City).parsed_output.model_dump()

    def tools(self, prompt: str, run) -> tuple[list[str], str]:
        cities = []

        @beta_tool
        def get_weather(city: str) -> str:
            """The current weather in a city"""
            cities.append(city)
            return run(city)

        runner = self.client.beta.messages.tool_runner(**self.ask(prompt), tools=[get_weather], max_iterations=3)
        return cities, text_of(runner.until_done())

    def image(self, prompt: str, url: str) -> str:
        media_type, data = url.removeprefix("data:").split(";base64,")
        source = {"type": "base64", "media_type": media_type, "data": data}
        content = [{"type": "text", "text": prompt}, {"type": "image", "source": source}]
        return text_of(self.client.messages.create(**self.ask(content)))

    def abort(self, prompt: str) -> str:
        with self.client.messages.stream(**self.ask(prompt)) as stream:
            return next(text for text in stream.text_stream)


connect = Client
