#!/usr/bin/env bats
# Scenarios 2 and 3: servers by the names of their images, pulled from a registry, on published ports.
# bats file_tags=user

load helpers
setup() { scenario_setup; }
teardown() { clade_teardown; }

@test "2: nginx as it is typed: pulled, PID 1 of its own, nothing of the host" {
	clade rmi -f nginx:1.16.1 >/dev/null 2>&1 || :
	clade run -d --rm --name nginx nginx:1.16.1 >id 2>said
	grep -q "Unable to find image 'nginx:1.16.1' locally" said
	grep -q "Status: Downloaded newer image for nginx:1.16.1" said
	[[ "$(cat id)" =~ ^[0-9a-f]{64}$ ]]
	typed=$'=># \nps -ef\\r=>nginx: worker process[\\s\\S]*# \nexit\\r=>'
	until_true sh -c 'clade exec nginx ps -ef | grep -q "worker process"'
	run -0 terminal clade exec -it nginx bash
	[[ "$output" =~ root\ +1\ +0\ [^$'\n']*"nginx: master process nginx" ]]
	[[ "$output" =~ www-data\ +[0-9]\ +1\ [^$'\n']*"nginx: worker process" ]]
	[[ "$output" != *bats* && "$output" != *docker-registry* ]]
	clade stop nginx
	until_true no_leftovers
}

@test "2 and 3: nginx and httpd at the same time on published ports; the host sees both, they see not each other" {
	clade run -d --rm --name nginx -p 8080:80 nginx:1.16.1
	clade run -d --rm --name httpd -p 8081:80 httpd:2.4.43
	until_true page 8080 'Welcome to nginx!'
	until_true page 8081 'It works!'
	run -0 clade exec nginx ps -ef
	[[ "$output" == *"nginx: worker"* && "$output" != *httpd* ]]
	run -0 clade exec httpd ps -ef
	[[ "${lines[1]}" =~ root\ +1\ .*"httpd -DFOREGROUND" ]]
	[[ "$output" != *nginx* ]]
	local master
	master=$(init_of nginx)
	[[ "$(ps -p "$master" -o args=)" == "nginx: master process"* ]]
	run -0 clade tree
	[[ "$output" == *"$master/1 nginx: master"*"container nginx"* ]]
	[[ "$output" == *"$(init_of httpd)/1 httpd"*"container httpd"* ]]
	run -0 clade ps
	[[ "$output" == *"0.0.0.0:8080->80/tcp"* && "$output" == *"0.0.0.0:8081->80/tcp"* ]]
	[ "$(clade port nginx 80)" = 0.0.0.0:8080 ]
	# another on the same port is refused, and leaves nothing
	run -125 clade run -d --rm --name third -p 8080:80 nginx:1.16.1
	[[ "$output" == *"0.0.0.0:8080"* ]]
	clade rm -f nginx httpd
	until_true no_leftovers
	run ! page 8080 .
	run ! page 8081 .
}

@test "logs, top, exec, restart, rename, kill, wait: a server is looked after as docker's users do it" {
	clade run -d --name nginx -p 8080:80 nginx:1.16.1
	until_true page 8080 'Welcome to nginx!'
	until_true sh -c 'clade logs nginx | grep -q "GET / HTTP"'
	run -0 clade top nginx
	[[ "$output" == *"nginx: master"* ]]
	clade exec nginx sh -c 'echo "changed" >/usr/share/nginx/html/index.html'
	until_true page 8080 changed
	clade restart -t 5 nginx
	until_true page 8080 changed
	clade rename nginx web
	clade kill -s QUIT web
	[ "$(clade wait web)" = 0 ]
	run -0 clade ps -a --filter name=web --format '{{.Status}}'
	[[ "$output" == "Exited (0) "* ]]
	clade rm web
}

@test "with a network made for it: by name from one to the other" {
	[ "$(id -u)" = 0 ] || skip "bridges are root's"
	clade network create shop
	clade run -d --rm --name web --net shop nginx:1.16.1
	until_true sh -c 'clade run --rm --net shop busybox wget -q -O - http://web/ | grep -q "Welcome to nginx!"'
	# whenever somebody comes or goes aardvark-dns reads its files anew, and answers nobody for that moment
	for _ in 1 2 3 4 5 6 7 8; do
		run -0 clade run --rm --net shop busybox wget -q -O - http://web/
		[[ "$output" == *"Welcome to nginx!"* ]]
	done
	clade rm -f web
	clade network rm shop
}
