"""OpenAI's SDK."""

import json

from openai import OpenAI
from pydantic import BaseModel

WEATHER = {
    "name": "get_weather",
    "description": "The current weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class City(BaseModel):
    city: str
    country: str


class Client:
    def __init__(self, base_url: str, key: str, model: str) -> None:
        client = OpenAI(base_url=base_url, api_key=key, max_retries=0)
        self.completions = client.chat.completions
        self.settings = {"model": model, "temperature": 0, "max_tokens": 48}

    def ask(self, messages, **more):
        messages = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
        return self.completions.create(messages=messages, **self.settings, **more)

    def plain(self, prompt: str) -> str:
        return self.ask(prompt).choices[0].message.content

    def stream(self, prompt: str) -> str:
        return "".join(chunk.choices[0].delta.content or "" for chunk in self.ask(prompt, stream=True))

    def schema(self, prompt: str) -> dict:
        messages = [{"role": "user", "content": prompt}]
        completion = self.completions.parse(messages=messages, response_format=City, **self.settings)
        return completion.choices[0].message.parsed.model_dump()

    def tools(self, prompt: str, run) -> tuple[list[str], str]:
        tools = [{"type": "function", "function": WEATHER}]
        messages = [{"role": "user", "content": prompt}]
        message = self.ask(messages, tools=tools).choices[0].message
        calls = [(call.id, json.loads(call.function.arguments)["city"]) for call in message.tool_calls or []]
        results = [{"role": "tool", "tool_call_id": id, "content": run(city)} for id, city in calls]
        answer = self.ask([*messages, message, *results], tools=tools)
        return [city for _, city in calls], answer.choices[0].message.content

    def image(self, prompt: str, url: str) -> str:
        content = [{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": url}}]
        return self.ask([{"role": "user", "content": content}]).choices[0].message.content

    def abort(self, prompt: str) -> str:
        with self.ask(prompt, stream=True) as stream:
            return next(text for chunk in stream if (text := chunk.choices[0].delta.content))


connect = Client
