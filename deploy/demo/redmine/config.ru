# The installed Redmine on a database of its own: settings, one project, two people, then serve.
Dir.chdir '/usr/share/redmine'
require '/usr/share/redmine/config/environment'

Setting.rest_api_enabled = '1'
Setting.notified_events = []

field = IssueCustomField.create!(
  name: 'external_id', field_format: 'string', is_for_all: true, is_filter: true,
  searchable: true, trackers: Tracker.all
)
project = Project.create!(
  name: 'Operations', identifier: 'ops', is_public: false,
  enabled_module_names: %w(issue_tracking), trackers: Tracker.all
)
role = Role.givable.first

person = lambda do |login|
  user = User.new(firstname: login, lastname: 'Test', mail: "#{login}@example.org", language: 'en')
  user.login = login
  user.password = user.password_confirmation = SecureRandom.hex(16)
  user.save!
  Member.create!(project: project, principal: user, roles: [role])
  user.api_key
end

File.write(ENV.fetch('FACTS'), JSON.generate(
  api_key: person.call('watchkeeper'),
  human_api_key: person.call('alex'),
  project: project.identifier,
  external_id_field: field.id,
  trackers: Tracker.pluck(:name, :id).to_h,
  statuses: IssueStatus.pluck(:name, :id).to_h,
  closed_statuses: IssueStatus.where(is_closed: true).pluck(:name),
  priorities: IssuePriority.pluck(:name, :id).to_h
))

run Rails.application
