"""LiteLLM's SDK. Its requests and answers are those of OpenAI's SDK."""

import json

import litellm
import openai_sdk


class Client(openai_sdk.Client):
    def __init__(self, base_url: str, key: str, model: str) -> None:
        self.server = {"model": f"openai/{model}", "api_base": base_url, "api_key": key, "num_retries": 0}

    def ask(self, messages, **more):
        messages = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
        return litellm.completion(messages=messages, temperature=0, max_tokens=48, **self.server, **more)

    def schema(self, prompt: str) -> dict:
        return json.loads(self.ask(prompt, response_format=openai_sdk.City).choices[0].message.content)

    def abort(self, prompt: str) -> str:
        stream = self.ask(prompt, stream=True)
        text = next(text for chunk in stream if (text := chunk.choices[0].delta.content))
        stream.completion_stream.close()
        return text


connect = Client
