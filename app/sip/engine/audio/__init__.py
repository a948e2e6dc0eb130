"""Live audio: the microphone that calls send, the speaker that they are heard in, and ringing."""
