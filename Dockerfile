# Not needed for anything: `pip install` does the same. Build: docker build -t lakewarden .
# Run: docker run --rm -v "$PWD:/repository:ro" lakewarden lint
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY rules rules
RUN python -m venv /opt/lakewarden && /opt/lakewarden/bin/pip install --no-cache-dir '.[live,sign]'

FROM python:3.13-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory /repository \
    && useradd --create-home --uid 10001 lakewarden
COPY --from=build /opt/lakewarden /opt/lakewarden
USER 10001
WORKDIR /repository
ENTRYPOINT ["/opt/lakewarden/bin/lakewarden"]
CMD ["--help"]
