// Send events with the package lumberjack-protocol: TLS, version 1, bare frames,
// one window of 1000 announced for each connection.
//
// The one argument is a JSON object, as for the Go sender. It prints "acked N"
// for each ack, and after the last event ends the connection as "end" says:
// "close" with TLS's own goodbye, "exit" by ending the process, "wait" not at all.
'use strict'
const { readFileSync } = require('node:fs')
const lumberjack = require('lumberjack-protocol')

const order = JSON.parse(process.argv[2])
const [host, port] = order.address.split(':')
const read = (path) => path && readFileSync(path)
const lines = readFileSync(order.events, 'utf8').trimEnd().split('\n')
const config = { host, port: Number(port), ca: [read(order.ca)] }
Object.assign(config, { cert: read(order.certificate), key: read(order.key) })

const client = lumberjack.client(config, {})
client.once('disconnect', (error) => {
  if (error) console.log('lost', error.message)
  process.exit(0)
})
client.once('connect', () => {
  const connection = client._socket
  connection.on('ack', (number) => console.log('acked', number))
  lines.forEach((line) => client.writeDataFrame({ line, host: 'node-1' }))
  connection._socket.write('', () => {
    // Its own close() leaves the socket open.
    if (order.end === 'close') connection._socket.end()
    if (order.end === 'exit') process.exit(0)
  })
})
