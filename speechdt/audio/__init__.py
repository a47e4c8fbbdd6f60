"""Audio: the sample rate, reading, noise, mixing, activity and fingerprints.

activity : activity of a recording, by one energy rule for every class.
fingerprint : acoustic fingerprints that survive re-encoding, a shift in time and a change of
    level.
io : reader of recordings as 16 kHz mono, and FLAC bytes of clips.
mixing : mixture of a target and a background at an exact SNR, and the level of the clip.
noise : synthetic noise: white, pink and brown.
rate : sample rate of all audio.
"""
