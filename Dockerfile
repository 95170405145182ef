# acalocal as an image: one static program, nothing else. "make image" compiles
# it into the build context, dist/image, for the engine's own platform; "make
# images" does so for every platform of engines.
#
# It needs the socket of a Docker Engine; see compose.yaml. Any user that may use
# the socket will do, such as --user 65532:$(stat -c %g /var/run/docker.sock).
FROM scratch
ARG TARGETARCH

# Directories that any user may write to: /tmp and /var/lib/acalocal.
ADD root.tar /

COPY acalocal-${TARGETARCH} /usr/local/bin/acalocal

# Inside a container, loopback would be out of everyone's reach: listen on all
# addresses here, and publish on the host's loopback only.
ENV PATH=/usr/local/bin \
    ACALOCAL_STATE_DIR=/var/lib/acalocal/state \
    ACALOCAL_CA_DIR=/var/lib/acalocal/ca \
    ACALOCAL_LISTEN=0.0.0.0 \
    DOCKER_HOST=unix:///var/run/docker.sock

VOLUME /var/lib/acalocal
# Healthy is who answers, whatever becomes of the apps.
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s CMD ["acalocal", "status"]
ENTRYPOINT ["acalocal"]
CMD ["up"]
