// Parse Server in two processes.
const cluster = require('node:cluster')
const { createRequire } = require('node:module')
const env = process.env
const load = createRequire(env.MODULES + '/index.js')

async function serve() {
  const { ParseServer } = load('parse-server')
  const server = new ParseServer({
    databaseURI: 'postgres://postgres@localhost/postgres',
    databaseOptions: { host: env.SOCKETS },
    appId: 'rollcall',
    masterKey: 'benchmark',
    serverURL: `http://127.0.0.1:${env.PORT}/parse`,
    allowCustomObjectId: true,
    allowClientClassCreation: true,
    silent: true,
    logLevel: 'error',
    logsFolder: null
  })
  await server.start()
  const app = load('express')()
  app.use('/parse', server.app)
  app.listen(Number(env.PORT), '127.0.0.1')
}

if (cluster.isPrimary) {
  cluster.fork()
  setTimeout(() => cluster.fork(), 3000) // after the first has made the tables
  process.on('SIGTERM', () => process.exit(0))
} else {
  serve()
}
