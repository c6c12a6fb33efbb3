"""The transport of the live sources: authentication, rates, retries, pages and redaction. It knows no fact."""
