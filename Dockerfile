# syntax=docker/dockerfile:1
# grounded as one static program: no shell, no root. Scans are read by tesseract and local models by Python where
# they are installed; this image has neither.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /out/grounded ./cmd/grounded && mkdir -p /out/data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/grounded /usr/local/bin/grounded
COPY --from=build --chown=nonroot:nonroot /out/data /data
ENV GROUNDED_DATA=/data
VOLUME /data
USER nonroot
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["/usr/local/bin/grounded", "collections", "--json"]
ENTRYPOINT ["/usr/local/bin/grounded"]
CMD ["--help"]
