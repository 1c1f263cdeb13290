"""Django with its check of origins: `python django_app.py runserver 127.0.0.1:8000 --noreload`."""

import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import path

settings.configure(
    SECRET_KEY="of a test",
    ALLOWED_HOSTS=[".example.com"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    CSRF_COOKIE_SECURE=True,
)


def form(request):
    if request.method == "POST":
        return HttpResponse(f"saved {request.POST['text']}")
    return HttpResponse(get_token(request))


urlpatterns = [
    path("form/", form),
    path("absolute/", lambda request: HttpResponse(request.build_absolute_uri("/there/?a=1"))),
    path("away/", lambda request: redirect(request.build_absolute_uri("/form/"))),
]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
