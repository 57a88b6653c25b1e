# `meshops krm` as a container function: docs/kustomize.md.
FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci --ignore-scripts && npm run build && npm pack --ignore-scripts \
  && npm install --global --prefix /app --omit=peer --omit=dev "./$(node -p 'const p = require("./package.json"); `${p.name}-${p.version}.tgz`')"

FROM registry.k8s.io/kustomize/kustomize:v5.8.1 AS kustomize

FROM node:22-bookworm-slim
COPY --from=build /app /app
COPY --from=kustomize /app/kustomize /usr/local/bin/kustomize
# Orchestrators run functions as the user nobody (65534), which has no home, and mount the repository at /platform.
ENV HOME=/tmp
# Each container starts with an empty cache, so filling it would only take time.
ENV NODE_DISABLE_COMPILE_CACHE=1
WORKDIR /platform
USER 65534
ENTRYPOINT ["/app/bin/meshops", "krm"]
