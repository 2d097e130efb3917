from hypothesis import settings

# No test asserts a time, so no example has a deadline either.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
