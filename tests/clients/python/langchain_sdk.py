"""LangChain's chat model for OpenAI."""

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai_sdk import City


class Client:
    def __init__(self, base_url: str, key: str, model: str) -> None:
        self.chat = ChatOpenAI(
            base_url=base_url, api_key=key, model=model, temperature=0, max_tokens=48, max_retries=0
        )

    def plain(self, prompt: str) -> str:
        return self.chat.invoke(prompt).text

    def stream(self, prompt: str) -> str:
        return "".join(chunk.text for chunk in self.chat.stream(prompt))

    def schema(self, prompt: str) -> dict:
        return self.chat.with_structured_output(City, method="json_schema").invoke(prompt).model_dump()

    def tools(self, prompt: str, run) -> tuple[list[str], str]:
        @tool
        def get_weather(city: str) -> str:
            """The current weather in a city"""
            return run(city)

        with_tools = self.chat.bind_tools([get_weather])
        asked = with_tools.invoke([("user", prompt)])
        results = [get_weather.invoke(call) for call in asked.tool_calls]
        answer = with_tools.invoke([("user", prompt), asked, *results])
        return [call["args"]["city"] for call in asked.tool_calls], answer.text

    def image(self, prompt: str, url: str) -> str:
        content = [{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": url}}]
        return self.chat.invoke([{"role": "user", "content": content}]).text

    def abort(self, prompt: str) -> str:
        stream = self.chat.stream(prompt)
        text = next(chunk.text for chunk in stream if chunk.text)
        stream.close()
        return text


connect = Client
