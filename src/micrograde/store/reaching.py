"""Whether a tracking server is reached from this machine."""


def why_not_reached(server: str) -> str:
    """Return why nobody answers at a server's address, whatever is answered; empty if somebody does."""
    import requests

    try:
        requests.get(server, timeout=10, allow_redirects=False, stream=True).close()
    except requests.exceptions.SSLError:  # of a certificate: somebody has answered
        return ""
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
        return str(error) or type(error).__name__
    return ""
