# A container in which strangers' notebooks are graded: the installed course, JupyterLab's tools, a user without rights.
# Build it in a clean copy of the course and run it as "Teaching with this course" says. The course is built in a stage of
# its own, so that nothing of its folder, the solutions least of all, lies beside the installed package.
FROM python:3.12-slim AS built
WORKDIR /course
COPY pyproject.toml hatch_build.py README.md LICENSE requirements-lock.txt ./
COPY segtutor segtutor
COPY notebooks notebooks
COPY data data
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:3.12-slim
ARG UID=1000
COPY --from=built /wheel /wheel
COPY requirements-lock.txt /wheel/
RUN pip install --no-cache-dir -c /wheel/requirements-lock.txt "$(echo /wheel/*.whl)[lab]" \
    && rm -r /wheel \
    && useradd --create-home --uid "$UID" grader

USER grader
WORKDIR /home/grader
ENV OMP_NUM_THREADS=1
ENTRYPOINT ["segtutor", "grade"]
