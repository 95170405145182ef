# acalocal as an image: one static program, nothing else. "make image" compiles
# it into the build context, dist/image, for the engine's own platform.
#
# It needs the socket of a Docker Engine; see compose.yaml.
FROM scratch

# An empty image has no directories; these are made by naming them.
WORKDIR /tmp
WORKDIR /var/lib/acalocal

COPY acalocal /usr/local/bin/acalocal

# Inside a container, loopback would be out of everyone's reach: listen on all
# addresses here, and publish on the host's loopback only.
ENV PATH=/usr/local/bin \
    ACALOCAL_STATE_DIR=/var/lib/acalocal \
    ACALOCAL_LISTEN=0.0.0.0 \
    DOCKER_HOST=unix:///var/run/docker.sock

VOLUME /var/lib/acalocal
ENTRYPOINT ["acalocal"]
CMD ["up"]
