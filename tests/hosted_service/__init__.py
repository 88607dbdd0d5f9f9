"""The hosted service of ``docs/hosted-api.yaml``, for tests: real HTTP over TLS, PostgreSQL, S3-compatible storage, an OIDC issuer.

``service.py`` starts the whole of it: two replicas (``replica.py``, processes of their own) behind ``balancer.py``, with one
database, one object store and one issuer. Replicas keep nothing: whatever one began another can end. Every request and every
answer is checked against the contract (``contract.py``). What a test wants to go wrong is in ``faults.py``, what it may set in
``house.py``. Tests elsewhere take ``hosted_service()`` for a session and ``reset()`` it for each test, as ``conftest.py`` does.
"""
