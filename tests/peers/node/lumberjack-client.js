// Send events with the package lumberjack-client, which never reads an ack.
//
// The one argument is a JSON object, as for the Go sender. What is logged before
// the connection stands goes out as one window, every later event as its own.
// It prints "sent N", half-closes, and ends when the receiver has closed.
'use strict'
const { readFileSync } = require('node:fs')
const LumberjackClient = require('lumberjack-client')

const order = JSON.parse(process.argv[2])
const [host, port] = order.address.split(':')
const read = (path) => path && readFileSync(path)
const events = readFileSync(order.events, 'utf8').trimEnd().split('\n').map(JSON.parse)
const config = { host, port: Number(port), ca: read(order.ca) }
Object.assign(config, { cert: read(order.certificate), key: read(order.key) })

const client = new LumberjackClient(config, Boolean(order.ca))
const early = order.window
events.slice(0, early).forEach((event) => client.log(event))
client.socket.once(order.ca ? 'secureConnect' : 'connect', () => {
  setImmediate(() => {
    events.slice(early).forEach((event) => client.log(event))
    client.socket.end(() => console.log('sent', events.length))
    // It would connect again; the acks that it does not read keep 'end' back.
    client.socket.removeAllListeners('close')
    client.socket.once('close', () => process.exit(0))
    process.stdin.once('end', () => process.exit(0)).resume()
  })
})
