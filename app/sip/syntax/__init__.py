"""SIP messages as text: taken apart, checked and put together; pure, no input and output."""
