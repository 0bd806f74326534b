#!/bin/sh
# Creates the namespace unless it exists. Its search attributes are added by `videoplanet migrate`.
# Server and namespace come from the CLI's own TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.
set -eu

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null; then
    echo "Namespace $TEMPORAL_NAMESPACE exists."
else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi
