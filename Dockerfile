# The command line and the worker in one image. Not built anywhere yet: no container engine was at hand.
FROM node:20.19.5-bookworm AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without scripts: `prepare` would build before the sources are there, and no dependency needs its own.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:20.19.5-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
# Temporal's client is native code and trusts the system's certificates, which the slim image does not have.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# A named volume takes over the folder's owner when it is first mounted.
RUN mkdir -p /var/lib/longhaul && chown node:node /var/lib/longhaul
USER node
VOLUME /var/lib/longhaul
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["worker"]
