<#
.SYNOPSIS
Runs answer.py against the SQL Server of this computer, through its registered sqlvdi.dll.
.DESCRIPTION
The default instance must be installed and running, and this account must have the role sysadmin. The database is made
where the server does not have it; no other one is touched. Python 3.11 or newer must be installed.
.PARAMETER Database
A database of yours that BACKUP may read. Its name may have letters, digits and underscores alone.
.PARAMETER Wheel
The wheel of vdi-conformance.
.PARAMETER Output
Where results go.
.PARAMETER Further
Further options of answer.py.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)][ValidatePattern('^[A-Za-z0-9_]+$')][string] $Database,
    [Parameter(Mandatory)][string] $Wheel,
    [string] $Output = 'answer',
    [Parameter(ValueFromRemainingArguments)][string[]] $Further = @()
)
$ErrorActionPreference = 'Stop'
$here = Split-Path -Parent $MyInvocation.MyCommand.Path
$venv = Join-Path $Output 'venv'
$python = Join-Path $venv 'Scripts\python.exe'

if (-not (Test-Path 'Registry::HKEY_CLASSES_ROOT\CLSID\{40700425-0080-11D2-851F-00C04FC21759}\InprocServer32')) {
    Write-Error 'The COM class of sqlvdi.dll is not registered: install SQL Server, or regsvr32 its sqlvdi.dll.'
}
New-Item -ItemType Directory -Force -Path $Output | Out-Null
if (-not (Test-Path $python)) {
    & python -m venv $venv
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}
& $python -m pip install --quiet "$Wheel[sqlserver]"
if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }

$env:VDI_SQLSERVER_CONNECTION = 'Server=localhost;Trusted_Connection=yes;TrustServerCertificate=yes'
$make = @'
import os, sys, mssql_python
name = sys.argv[1]
connection = mssql_python.connect(os.environ["VDI_SQLSERVER_CONNECTION"], autocommit=True, timeout=5)
connection.cursor().execute(f"IF DB_ID(N'{name}') IS NULL CREATE DATABASE [{name}];")
'@
$script = Join-Path $Output 'make_database.py'
Set-Content -Path $script -Value $make -Encoding utf8
& $python $script $Database
if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }

& $python (Join-Path $here 'answer.py') --database $Database -o $Output @Further
exit $LASTEXITCODE
