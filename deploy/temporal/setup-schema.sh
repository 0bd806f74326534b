#!/bin/sh
# Creates Temporal's two databases and brings their schemas to the version of this image.
# Run before every start of the server: each step does nothing where it is already done.
# The connection comes from the tool's own SQL_* variables.
set -eu

prepare() {
    database=$1
    schema=$2
    temporal-sql-tool --database "$database" create-database
    temporal-sql-tool --database "$database" setup-schema --version 0.0
    temporal-sql-tool --database "$database" update-schema \
        --schema-dir "/etc/temporal/schema/postgresql/v12/$schema/versioned"
}

prepare temporal temporal
prepare temporal_visibility visibility
