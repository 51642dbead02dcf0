"""A machine's API, asked from the host."""
import http.client
import ssl

from machine_options import API_PORT


def get(machine, path):
    """Status and text; whose certificate it is does not matter here."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", machine.forwarded(API_PORT), timeout=30, context=context)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
