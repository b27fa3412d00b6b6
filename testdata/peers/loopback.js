'use strict'

// Preloaded into servers that listen on every address and on ports of their own (node -r ./loopback.js server.js). It
// makes them listen on 127.0.0.1 and on free ports, prints "listening <asked> <given>" for each, and ends them once
// their standard input does, so that none outlives the test that started it.

const net = require('net')

const listen = net.Server.prototype.listen

net.Server.prototype.listen = function (options, ...args) {
  const port = typeof options === 'object' ? options.port : options
  const callback = args.find((arg) => typeof arg === 'function')
  this.once('listening', () => console.log(`listening ${port} ${this.address().port}`))
  return listen.call(this, { host: '127.0.0.1', port: 0 }, callback)
}

process.stdin.on('end', () => process.exit(0)).resume()
