#!/bin/bash
# Starts the server of this container, makes the database that was named, and runs answer.py on it.
set -euo pipefail
: "${MSSQL_SA_PASSWORD:?set the password of sa for this container}"
database=${VDI_DATABASE:-vdi_answer}
case $database in
*[!A-Za-z0-9_]*) echo "VDI_DATABASE may have letters, digits and underscores alone: choose another name" >&2; exit 4 ;;
esac
/opt/mssql/bin/sqlservr >/tmp/sqlservr.log 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
export VDI_SQLSERVER_CONNECTION="Server=localhost;UID=sa;PWD={${MSSQL_SA_PASSWORD//\}/\}\}}};TrustServerCertificate=yes"
/opt/suite/venv/bin/python - "$database" <<'PYTHON'
import os
import sys
import time

import mssql_python

name = sys.argv[1]
for turn in range(60):
    try:
        connection = mssql_python.connect(os.environ["VDI_SQLSERVER_CONNECTION"], autocommit=True, timeout=5)
        break
    except mssql_python.Error as error:
        if turn == 59:
            sys.exit(f"the server did not start in three minutes: see /tmp/sqlservr.log ({type(error).__name__})")
        time.sleep(3)
connection.cursor().execute(f"IF DB_ID(N'{name}') IS NULL CREATE DATABASE [{name}];")
PYTHON
cd /answer
/opt/suite/venv/bin/python /opt/suite/ci/sqlserver/answer.py --database "$database" -o /answer/results "$@"
