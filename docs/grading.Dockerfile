# A container in which strangers' notebooks are graded: the course, JupyterLab's tools, a user without rights.
# Build it in the folder of the course; run it without a network, with the submissions read-only (see "Teaching").
FROM python:3.12-slim

WORKDIR /course
COPY . .
RUN pip install --no-cache-dir -c requirements-lock.txt ".[lab]" \
    && useradd --create-home grader \
    && mkdir /out && chown grader /out

USER grader
WORKDIR /home/grader
ENTRYPOINT ["segtutor", "grade"]
