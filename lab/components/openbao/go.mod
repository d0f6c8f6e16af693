module rebirth.local/components/openbao

go 1.24.6

require github.com/openbao/openbao v0.0.0-20250828202315-f9407a27fbee
