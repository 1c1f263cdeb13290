# One stage makes the package, the other installs it from its file, without a network. See docs/docker.md.
FROM node:24-bookworm-slim AS pack
WORKDIR /src
COPY . .
RUN npm ci --no-audit --no-fund
RUN npm run --silent pack -- --out /out

FROM node:24-bookworm-slim
COPY --from=pack /out/ /tmp/
# The image has the Node that the package would bring.
RUN npm install --global --offline --omit=optional /tmp/postern-*.tgz \
  && rm /tmp/postern-*.tgz \
  && install --directory --owner=node --group=node --mode=0700 /var/lib/postern
# Ports that need no privilege in any engine; visitors come to 80 and 443, which are mapped to them. Metrics and health
# stay inside.
ENV POSTERN_DATA_DIR=/var/lib/postern \
  POSTERN_HTTP_LISTEN=0.0.0.0:8880 \
  POSTERN_HTTPS_LISTEN=0.0.0.0:8443 \
  POSTERN_PUBLIC_HTTP_PORT=80 \
  POSTERN_PUBLIC_HTTPS_PORT=443 \
  POSTERN_AGENT_LISTEN=0.0.0.0:4443 \
  POSTERN_API_LISTEN=0.0.0.0:4400 \
  POSTERN_TCP_LISTEN=0.0.0.0:20000-20999
USER node
WORKDIR /var/lib/postern
VOLUME /var/lib/postern
EXPOSE 8880 8443 4443 4400 20000-20999
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4401/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["postern"]
CMD ["server"]
