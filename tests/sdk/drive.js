// Calls every method of @engage_so/node once and prints what it answered: node drive.js KEY SECRET UID ACCOUNT
const [key, secret, uid, account] = process.argv.slice(2)
const Engage = require('@engage_so/node')

async function main () {
  Engage.init({ key, secret })
  const answers = {}
  answers.identify = await Engage.identify({ id: uid, email: `${uid}@example.com`, created_at: '2020-08-11', plan: 'pro', age: 34 })
  answers.again = await Engage.identify({ id: uid, email: `${uid}@example.com` })
  answers.account = await Engage.identify({ id: account, is_account: true })
  answers.addAttribute = await Engage.addAttribute(uid, { first_name: 'Ada', age: 35, vip: true })
  answers.trackText = await Engage.track(uid, 'loggedin')
  answers.trackObject = await Engage.track(uid, { event: 'Paid', value: 49.5, properties: { currency: 'USD' } })
  answers.convertToCustomer = await Engage.convertToCustomer(account)
  answers.addToAccount = await Engage.addToAccount(uid, account, 'owner')
  answers.changeAccountRole = await Engage.changeAccountRole(uid, account, 'member')
  answers.removeFromAccount = await Engage.removeFromAccount(uid, account)
  answers.convertToAccount = await Engage.convertToAccount(account)
  answers.unknown = await Engage.addToAccount(uid, 'nobody')
  answers.get = await Engage.request(`/users/${uid}`, null, 'GET')
  console.log(JSON.stringify(answers))
}

main()
