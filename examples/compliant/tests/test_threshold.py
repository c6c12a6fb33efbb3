def test_threshold_is_a_share() -> None:
    assert 0 < 0.8 < 1
