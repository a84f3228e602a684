# JupyterLab with the notebooks and their kernel, set up; Binder's repo2docker uses it as well.
#   docker build -t glyphs . && docker run --rm -p 8888:8888 glyphs
FROM rust:1.95.0-bookworm

# The image's toolchain, by its name: `stable` would be fetched once more.
ENV RUSTUP_TOOLCHAIN=1.95.0

RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv make git build-essential \
    && rm -rf /var/lib/apt/lists/*

# Binder asks for a user of this number who owns the home folder.
ARG NB_USER=jovyan
ARG NB_UID=1000
RUN useradd --create-home --uid ${NB_UID} ${NB_USER} \
    && chown -R ${NB_UID} "$RUSTUP_HOME" "$CARGO_HOME"
ENV HOME=/home/${NB_USER}
COPY --chown=${NB_UID} . ${HOME}/glyphs
USER ${NB_USER}
WORKDIR ${HOME}/glyphs
# Binder starts `jupyter notebook`.
RUN rustup component add rustfmt clippy rust-src && make setup \
    && ln -s jupyter-lab .venv/bin/jupyter-notebook

ENV PATH=${HOME}/glyphs/.venv/bin:$PATH
EXPOSE 8888
ENTRYPOINT ["workflow/container.sh"]
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "notebooks"]
