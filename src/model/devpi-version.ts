/** The version of devpi-server that is spoken here, on the wire and in what is exported. */
export const DEVPI_VERSION = '6.20.3'
