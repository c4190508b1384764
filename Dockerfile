# The environment of the lessons, for a hub (hub/values.yaml) or one machine:
#   docker build -t hedge-lab . && docker run --rm -p 127.0.0.1:8888:8888 hedge-lab
FROM python:3.12-slim

RUN useradd --create-home --uid 1000 jovyan
WORKDIR /opt/hedge-lab
COPY requirements.lock hub/requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock \
    && pip install --no-cache-dir -r requirements.txt

COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && cp -r notebooks /home/jovyan/notebooks && chown -R jovyan: /home/jovyan/notebooks

USER jovyan
WORKDIR /home/jovyan
ENV OPENBLAS_NUM_THREADS=1
EXPOSE 8888
# A hub puts its own command, jupyterhub-singleuser, in place of this one.
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "--ServerApp.root_dir=/home/jovyan/notebooks"]
