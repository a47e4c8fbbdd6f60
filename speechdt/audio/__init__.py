"""Audio: the sample rate, reading, noise, mixing, activity and fingerprints.

activity : activity of a recording, by one energy rule for every class.
channel : channels that a clip goes through: filters of a given band, and codecs by libsndfile.
containers : containers that libsndfile does not read, by PyAV where it is there.
decoding : decoding of a recording in blocks.
faults : faults of recordings that are measured as they are read: offset, rumble, hum and clipping.
fingerprint : acoustic fingerprints that survive re-encoding, a shift in time and a change of
    level.
highpass : high-pass at 50 Hz for all recordings.
io : reader of recordings as 16 kHz mono, and FLAC bytes of clips.
mixing : mixture of a target and a background at an exact SNR, and the level of the clip.
noise : synthetic noise: white, pink, brown and speech-shaped.
presentation : presentation of a stored clip: its level and its container.
rate : sample rate of all audio.
region : region of a recording, named in the notation of W3C Media Fragments.
room : impulse responses of rooms, synthetic or measured, and clips in them.
speech_band : band of speech: the components of a sound from 300 to 3400 Hz.
streams : streams of a file, opened whole: joined recordings, headers of pipes, containers.
unusable : error of audio that cannot be used.
"""
