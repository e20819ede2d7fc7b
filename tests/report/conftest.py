import pytest
from made_up_results import make_verdict


@pytest.fixture
def verdict():
    return make_verdict()
