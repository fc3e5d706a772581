// photon - the Photon client over PhotonProtocol: the Arduino's, with a persistent id of its own choice, inits and
// storage.
import { Board } from './arduino.mjs';

const INIT = '1', CLOSE = '3', SET = 's1', GET = 's2', REMOVE = 's3';

export class Photon extends Board {
    constructor(story) {
        super(story, 'Photon', 'welcome');
    }

    SetClientId(guid) {
        this.clientId = guid;
    }

    setOnDisconnectedDelegate(callback) {
        this.onDisconnected = callback;
    }

    // No line end.
    sendHandshake() {
        this.print('PhotonProtocol');
        if (this.clientId) this.print(`?PersistentId=${this.clientId}`);
    }

    transmit(controller, topic, data) {
        if (this.connected()) this.send(controller, topic, data);
    }

    openController(controller) {
        this.transmit(controller, INIT, '');
    }

    closeController(controller) {
        this.transmit(controller, CLOSE, '');
    }

    storageSet(controller, key, value) {
        this.transmit(controller, SET, `${key},${value}`);
    }

    storageGet(controller, key) {
        this.transmit(controller, GET, key);
    }

    storageRemove(controller, key) {
        this.transmit(controller, REMOVE, key);
    }

    // It was never written.
    storageClear() {}
}
