// Holding a button to talk.

const LONGEST = 60_000; // a voice message ends after a minute, as on the phone
const SHORTEST = 500;

const REFUSALS = {
  NotAllowedError: "没有使用麦克风的权限。请在浏览器的地址栏旁边允许麦克风，或者写上要说的话，点“发样本语音”。",
  NotFoundError: "这台设备没有麦克风。可以写上要说的话，点“发样本语音”。",
};

export class Recorder {
  #recording = null;

  get isOn() {
    return this.#recording !== null;
  }

  async start(onEnd) {
    if (!navigator.mediaDevices || !window.MediaRecorder) {
      throw new Error("这个地址用不了麦克风（要 https 或本机地址）。可以写上要说的话，点“发样本语音”。");
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (error) {
      throw new Error(REFUSALS[error.name] ?? "麦克风打不开。可以写上要说的话，点“发样本语音”。");
    }
    const recorder = new MediaRecorder(stream);
    const parts = [];
    const began = performance.now();
    const limit = setTimeout(() => this.stop(), LONGEST);
    recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
    recorder.addEventListener("stop", () => {
      clearTimeout(limit);
      stream.getTracks().forEach((track) => track.stop());
      this.#recording = null;
      onEnd(performance.now() - began < SHORTEST ? null : new Blob(parts, { type: recorder.mimeType }));
    });
    recorder.start();
    this.#recording = recorder;
  }

  stop() {
    this.#recording?.stop();
  }
}
