"""OpenAI's SDK with the Responses API."""

import json

from openai import OpenAI
from openai_sdk import WEATHER, City


class Client:
    def __init__(self, base_url: str, key: str, model: str) -> None:
        self.responses = OpenAI(base_url=base_url, api_key=key, max_retries=0).responses
        self.settings = {"model": model, "temperature": 0, "max_output_tokens": 48}

    def ask(self, content, **more):
        return self.responses.create(input=content, **self.settings, **more)

    def plain(self, prompt: str) -> str:
        return self.ask(prompt).output_text

    def stream(self, prompt: str) -> str:
        events = self.ask(prompt, stream=True)
        return "".join(event.delta for event in events if event.type == "response.output_text.delta")

    def schema(self, prompt: str) -> dict:
        return self.responses.parse(input=prompt, text_format=City, **self.settings).output_parsed.model_dump()

    def tools(self, prompt: str, run) -> tuple[list[str], str]:
        tools = [{"type": "function", **WEATHER}]
        asked = self.ask(prompt, tools=tools)
        calls = [item for item in asked.output if item.type == "function_call"]
        if not calls:
            return [], asked.output_text
        cities = [json.loads(call.arguments)["city"] for call in calls]
        results = [
            {"type": "function_call_output", "call_id": call.call_id, "output": run(city)}
            for call, city in zip(calls, cities)
        ]
        return cities, self.ask(results, tools=tools, previous_response_id=asked.id).output_text

    def image(self, prompt: str, url: str) -> str:
        content = [{"type": "input_text", "text": prompt}, {"type": "input_image", "image_url": url, "detail": "auto"}]
        return self.ask([{"role": "user", "content": content}]).output_text

    def abort(self, prompt: str) -> str:
        with self.ask(prompt, stream=True) as events:
            return next(event.delta for event in events if event.type == "response.output_text.delta")


connect = Client
