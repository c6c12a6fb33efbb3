from __future__ import annotations

import pytest
from tests.sources.code.reading import call

HEAD = """
import mlflow
from mlflow.pyfunc import ChatAgent, PythonModel
from acme import Base

class Plain(PythonModel):
    def predict(self, context, model_input): ...

class Typed(PythonModel):
    def predict(self, model_input: list[str], params=None): ...

class Quoted(PythonModel):
    def predict(self, context, model_input: "List[str]"): ...

class Frame(PythonModel):
    def predict(self, context, model_input: pd.DataFrame): ...

class Agent(ChatAgent):
    def predict(self, messages): ...

class Below(Agent): ...

class Foreign(Base):
    def predict(self, context, model_input): ...

def plain(model_input): ...

def typed(model_input: list[int]): ...
"""


@pytest.mark.parametrize(
    ("model", "signed"),
    [
        ("Plain()", False),
        ("Frame()", False),
        ("Typed()", True),
        ("Quoted()", True),
        ("Agent()", True),
        ("Below()", True),
        ("Foreign()", None),
        ("Base()", None),
        ("plain", False),
        ("typed", True),
        ("'agent.py'", None),
    ],
)
def test_models_in_python(model: str, signed: bool | None) -> None:
    found = call(f"{HEAD}\nmlflow.pyfunc.log_model(name='m', python_model={model})", "mlflow.log_model")
    assert found.has_signature is signed
    assert found.unclear == (("whether it has a signature",) if signed is None else ())


@pytest.mark.parametrize(
    ("logged", "signed"),
    [
        ("transformers.log_model(pipeline, name='m')", True),
        ("sentence_transformers.log_model(model, name='m')", True),
        ("openai.log_model('gpt', task='chat.completions', name='m')", True),
        ("langchain.log_model(chain, name='m')", None),
        ("dspy.log_model(program, name='m')", False),
        ("dspy.log_model(program, name='m', task='llm/v1/chat')", True),
        ("sklearn.log_model(model, name='m')", False),
        ("pyfunc.log_model(name='m', loader_module='acme', data_path='data')", False),
        ("langchain.log_model(chain, name='m', input_example=example)", True),
    ],
)
def test_flavors(logged: str, signed: bool | None) -> None:
    assert call(f"import mlflow\nmlflow.{logged}", "mlflow.log_model").has_signature is signed
