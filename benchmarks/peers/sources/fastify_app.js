// The five routes on Fastify. STORE: sqlite (better-sqlite3) or pg. Everything is prepared once.
const cluster = require('node:cluster')
const { createRequire } = require('node:module')
const env = process.env
const load = createRequire(env.MODULES + '/index.js')
const workers = Number(env.WORKERS)

if (cluster.isPrimary && workers > 1) {
  for (let i = 0; i < workers; i++) cluster.fork()
  process.on('SIGTERM', () => process.exit(0))
} else {
  const store = env.STORE === 'pg' ? postgres() : sqlite()
  serve(store).listen({ port: Number(env.PORT), host: '127.0.0.1' })
}

function serve(store) {
  const app = load('fastify')({ logger: false })
  const flat = { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } }
  const fields = {
    first_name: { type: 'string', maxLength: 255 },
    last_name: { type: 'string', maxLength: 255 },
    number: { type: 'string', pattern: '^\\+?[0-9 ().-]{5,30}$' },
    email: { type: 'string', maxLength: 254, pattern: '^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$' },
    meta: flat
  }
  const change = { type: 'object', properties: fields }
  const creation = {
    type: 'object', required: ['id'], properties: { id: { type: 'string', pattern: '^[A-Za-z0-9]{1,255}$' }, ...fields }
  }
  const event = {
    type: 'object',
    required: ['event'],
    properties: {
      event: { type: 'string', minLength: 1, maxLength: 255 },
      value: { type: ['string', 'number', 'boolean'] },
      properties: flat
    }
  }
  const query = {
    type: 'object',
    properties: { limit: { type: 'integer', minimum: 1, maximum: 30, default: 10 }, next_cursor: { type: 'integer', default: 0 } }
  }
  app.addHook('onRequest', (request, reply, done) => {
    if (request.headers.authorization !== env.AUTHORIZATION) return reply.code(401).send({ error: 'Wrong authentication credentials.' })
    done()
  })
  app.get('/v1/users/:uid', async (request, reply) => {
    const user = await store.find(request.params.uid)
    return user ? shown(user) : reply.code(404).send({ error: 'No such user.' })
  })
  app.get('/v1/users', { schema: { querystring: query } }, async (request) => {
    const { limit, next_cursor } = request.query
    const rows = await store.page(next_cursor, limit + 1)
    const data = rows.slice(0, limit).map(shown)
    return rows.length > limit ? { data, next_cursor: data[limit - 1].id } : { data }
  })
  app.post('/v1/users', { schema: { body: creation } }, async (request) => shown(await store.save(request.body.id, request.body)))
  app.put('/v1/users/:uid', { schema: { body: change } }, async (request) => shown(await store.save(request.params.uid, request.body)))
  app.post('/v1/users/:uid/events', { schema: { body: event } }, async (request) => {
    await store.record(request.params.uid, request.body)
    return { status: 'ok' }
  })
  return app
}

const time = (milliseconds) => milliseconds === null ? null : new Date(Number(milliseconds)).toISOString().replace('Z', '+00:00')
const json = (value) => typeof value === 'string' ? (value === '[]' ? [] : JSON.parse(value)) : value
const stats = { delivered: 0, failed: 0, opened: 0, clicked: 0, unique_opens: 0, unique_clicks: 0 }

function shown(row) {
  return {
    id: String(row.id), uid: row.uid, uid_updateable: false, first_name: row.first_name, last_name: row.last_name,
    number: row.number, email: row.email, devices: json(row.devices), accounts: json(row.accounts),
    is_account: Boolean(row.is_account), member_count: null, archived: Boolean(row.archived), lists: json(row.lists),
    segments: [], meta: json(row.meta), created_at: time(row.created_at), last_interaction: time(row.last_interaction), stats
  }
}

function columns(array, object) {
  const sides = env.SIDE_TABLES
    ? [
        `(SELECT ${array(object("'token', token, 'platform', platform"))} FROM devices WHERE user_id = users.id)`,
        `(SELECT ${array(object("'id', account_id, 'role', role"))} FROM memberships WHERE user_id = users.id)`,
        `(SELECT ${array(object("'id', list_id, 'subscribed', subscribed"))} FROM subscriptions WHERE user_id = users.id)`
      ]
    : ["'[]'", "'[]'", "'[]'"]
  return `id, uid, first_name, last_name, number, email, is_account, archived, meta, created_at, last_interaction,
    ${sides[0]} AS devices, ${sides[1]} AS accounts, ${sides[2]} AS lists`
}

const kept = ['first_name', 'last_name', 'number', 'email', 'meta']

// One upsert for each set of fields that a body has, prepared when it first comes.
function upsert(fields, place, merge, columns) {
  const names = ['uid', 'created_at', ...fields]
  const changes = fields.map((name) => `${name} = ${name === 'meta' ? merge : 'excluded.' + name}`)
  return `INSERT INTO users (${names}) VALUES (${names.map((name, i) => place(i + 1))})
    ON CONFLICT (uid) DO UPDATE SET ${changes.length ? changes : 'uid = excluded.uid'} RETURNING ${columns}`
}

function sqlite() {
  const db = new (load('better-sqlite3'))(env.DATABASE, { timeout: 10000 })
  db.pragma('journal_mode = wal')
  db.pragma('synchronous = full')
  db.pragma('foreign_keys = on')
  db.pragma('cache_size = -32768')
  const shape = columns((rows) => `json_group_array(${rows})`, (pairs) => `json_object(${pairs})`)
  const find = db.prepare(`SELECT ${shape} FROM users WHERE uid = ?`)
  const page = db.prepare(`SELECT ${shape} FROM users WHERE id > ? ORDER BY id LIMIT ?`)
  const touch = db.prepare(`INSERT INTO users (uid, created_at, last_interaction) VALUES (?, ?, ?)
    ON CONFLICT (uid) DO UPDATE SET last_interaction = excluded.last_interaction RETURNING id`)
  const insert = db.prepare('INSERT INTO events (user_id, timestamp, event, value, properties) VALUES (?, ?, ?, ?, ?)')
  const record = db.transaction((uid, body) => {
    const now = Date.now()
    const { id } = touch.get(uid, now, now)
    insert.run(id, now, body.event, JSON.stringify(body.value ?? null), JSON.stringify(body.properties ?? {}))
  })
  const upserts = new Map()
  return {
    find: (uid) => find.get(uid),
    page: (after, limit) => page.all(after, limit),
    record: (uid, body) => record.immediate(uid, body),
    save(uid, body) {
      const fields = kept.filter((name) => name in body)
      const key = fields.join()
      if (!upserts.has(key)) upserts.set(key, db.prepare(upsert(fields, () => '?', 'json_patch(users.meta, excluded.meta)', shape)))
      return upserts.get(key).get(uid, Date.now(), ...fields.map((name) => name === 'meta' ? JSON.stringify(body.meta) : body[name]))
    }
  }
}

function postgres() {
  const { Pool } = load('pg')
  const pool = new Pool({ connectionString: env.DATABASE, max: 8 })
  const run = async (name, text, values) => (await pool.query({ name, text, values })).rows
  const shape = columns((rows) => `coalesce(json_agg(${rows}), '[]')`, (pairs) => `json_build_object(${pairs})`)
  return {
    find: async (uid) => (await run('find', `SELECT ${shape} FROM users WHERE uid = $1`, [uid]))[0],
    page: (after, limit) => run('page', `SELECT ${shape} FROM users WHERE id > $1 ORDER BY id LIMIT $2`, [after, limit]),
    record: (uid, body) => run('record', `WITH actor AS (INSERT INTO users (uid, created_at, last_interaction) VALUES ($1, $2, $2)
      ON CONFLICT (uid) DO UPDATE SET last_interaction = excluded.last_interaction RETURNING id)
      INSERT INTO events (user_id, timestamp, event, value, properties) SELECT id, $2, $3, $4, $5 FROM actor`,
    [uid, Date.now(), body.event, JSON.stringify(body.value ?? null), JSON.stringify(body.properties ?? {})]),
    async save(uid, body) {
      const fields = kept.filter((name) => name in body)
      const text = upsert(fields, (i) => '$' + i, 'users.meta || excluded.meta', shape)
      const values = fields.map((name) => name === 'meta' ? JSON.stringify(body.meta) : body[name])
      return (await run('save' + fields, text, [uid, Date.now(), ...values]))[0]
    }
  }
}
